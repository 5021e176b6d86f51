import { format } from "../../shared/numbers";
import { classColour, signColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Bars } from "../data";
import { axis, span, type Axis } from "../draw/axis";
import { bare, fitted, line, placeholder, textWidth, widest, write, type Box, type Context } from "../draw/canvas";
import { legend, legendHeight, type Entry } from "../draw/legend";
import { grid, plane, tickCount, type Plane } from "../draw/plane";
import { largest, type Drawn, type Hit, type Look } from "./kind";

interface Layout {
  area: Plane;
  entries: Entry[];
  /** Names too long to stand side by side lie beside bars that lie too. */
  lying: boolean;
  heights: Axis;
  /** Where a group begins along its axis and how long it is [px]. */
  group(index: number): [start: number, length: number];
}

/** An axis of places for groups, without ticks. */
function places(count: number): Axis {
  return { ...axis([0, Math.max(1, count)], { snug: true }), ticks: [] };
}

function lay(view: Bars, box: Box, theme: Theme): Layout {
  const names = Object.keys(view.series);
  const entries = names.length > 1 ? names.map((name, index) => ({ name, colour: classColour(index, theme.dark) })) : [];
  const small = bare(box);
  const above = small ? 0 : legendHeight(entries, box.width, theme);
  const count = view.names.length;
  const label = widest(view.names, theme);
  const lying = !small && label + 6 > (box.width - 50) / Math.max(1, count) && (box.height - above - 50) / Math.max(1, count) >= theme.size + 2;
  const heights = heightAxis(view, lying ? tickCount(box.width, 70) : tickCount(box.height, 46));
  const other = places(count);
  const options = { above, ylabel: lying ? view.xlabel : view.ylabel, xlabel: lying ? view.ylabel : view.xlabel };
  if (!lying) {
    const area = plane(box, other, heights, theme, { ...options, xlabel: options.xlabel || " " });
    return { area, entries, lying, heights, group: (index) => [area.X(index), area.width / Math.max(1, count)] };
  }
  const area = plane(box, heights, other, theme, { ...options, left: Math.min(label, box.width * 0.4) });
  return { area, entries, lying, heights, group: (index) => [area.top + (index * area.height) / count, area.height / count] };
}

function heightAxis(view: Bars, count: number): Axis {
  const ends = span([...Object.values(view.series).map(({ data }) => data), Object.values(view.level)], view.log);
  if (!ends || view.log) return axis(ends, { log: view.log, count });
  // Bars stand on zero, always: their lengths are compared.
  return axis([Math.min(0, ends[0]), Math.max(0, ends[1])], { count });
}

function draw(ctx: Context, view: Bars, box: Box, theme: Theme, look: Look): void {
  const series = Object.values(view.series);
  if (!view.names.length || !series.length) return placeholder(ctx, box, theme);
  const laid = lay(view, box, theme);
  const { area, entries, lying, heights } = laid;
  grid(ctx, area, theme, { lines: lying ? "both" : "rows", along: lying });
  const alone = series.length === 1;
  const signed = alone && series[0]!.data.some((value) => value < 0);
  const base = heights.log ? 0 : heights.share(0);
  view.names.forEach((_, index) => {
    const [start, length] = laid.group(index);
    const gap = Math.min(10, length * 0.16);
    const width = (length - 2 * gap) / series.length;
    series.forEach(({ data }, number) => {
      const value = data[index]!;
      const share = heights.share(value);
      if (!Number.isFinite(share)) return;
      ctx.fillStyle = signed ? signColour(value, theme.dark) : classColour(number, theme.dark);
      ctx.globalAlpha = look.picked === null || look.picked === index ? 1 : 0.45;
      bar(ctx, laid, start + gap + number * width, Math.max(1, width - (width > 6 ? 1 : 0)), base, share);
    });
    ctx.globalAlpha = 1;
  });
  if (!area.bare) {
    drawNames(ctx, view, laid, theme);
    drawLevels(ctx, view, laid, theme);
    legend(ctx, entries, 0, 0, box.width, theme);
  }
  ctx.strokeStyle = theme.muted;
  ctx.lineWidth = 1;
  if (lying) line(ctx, area.left + base * area.width, area.top, area.left + base * area.width, area.top + area.height);
  else line(ctx, area.left, area.top + (1 - base) * area.height, area.left + area.width, area.top + (1 - base) * area.height);
}

function bar(ctx: Context, { area, lying }: Layout, at: number, width: number, base: number, share: number): void {
  const [low, high] = [Math.min(base, share), Math.max(base, share)];
  if (lying) ctx.fillRect(area.left + low * area.width, at, Math.max(1, (high - low) * area.width), width);
  else ctx.fillRect(at, area.top + (1 - high) * area.height, width, Math.max(1, (high - low) * area.height));
}

function drawNames(ctx: Context, view: Bars, laid: Layout, theme: Theme): void {
  const { area, lying } = laid;
  const [, length] = laid.group(0);
  if (lying) {
    view.names.forEach((name, index) => {
      const [start] = laid.group(index);
      write(ctx, fitted(name, area.left - 10, theme), area.left - 8, start + length / 2, theme, { colour: theme.muted, align: "right" });
    });
  } else {
    // Where names are wider than their bars every second, third, ... is written.
    const every = Math.max(1, Math.ceil((Math.min(widest(view.names, theme), 90) + 8) / length));
    view.names.forEach((name, index) => {
      if (index % every) return;
      const [start] = laid.group(index);
      const words = fitted(name, every * length - 4, theme);
      write(ctx, words, start + length / 2, area.top + area.height + theme.size / 2 + 6, theme, { colour: theme.muted, align: "center" });
    });
  }
  if (Object.keys(view.series).length === 1 && view.names.length <= 16) drawValues(ctx, view, laid, theme);
}

/** Values beside the ends of their bars, with one digit more than the axis; what rounds to zero is left out. */
function drawValues(ctx: Context, view: Bars, laid: Layout, theme: Theme): void {
  const { area, lying, heights } = laid;
  const { data } = Object.values(view.series)[0]!;
  const size = theme.size - 1;
  const least = heights.log ? 0 : (heights.high - heights.low) / 200;
  view.names.forEach((_, index) => {
    const value = data[index]!;
    const share = heights.share(value);
    if (!Number.isFinite(share) || Math.abs(value) < least) return;
    const words = format(value, 2);
    const [start, length] = laid.group(index);
    const width = textWidth(words, theme, size);
    if (!lying) {
      const y = area.top + (1 - share) * area.height + (value < 0 ? 8 : -7);
      if (width < length) write(ctx, words, start + length / 2, y, theme, { colour: theme.muted, size, align: "center", halo: theme.paper });
      return;
    }
    const side = value < 0 ? -1 : 1;
    const end = area.left + share * area.width;
    const outside = side * (end + side * (4 + width)) <= side * (side > 0 ? area.left + area.width : area.left);
    const colour = outside ? theme.muted : theme.paper;
    const align = outside === side > 0 ? "left" : "right";
    write(ctx, words, end + (outside ? 4 : -4) * side, start + length / 2, theme, { colour, size, align });
  });
}

function drawLevels(ctx: Context, view: Bars, { area, lying, heights }: Layout, theme: Theme): void {
  ctx.lineWidth = 1;
  for (const [name, level] of Object.entries(view.level)) {
    const share = heights.share(level);
    if (!Number.isFinite(share)) continue;
    ctx.strokeStyle = theme.text;
    ctx.setLineDash([4, 3]);
    const [x, y] = [area.left + share * area.width, area.top + (1 - share) * area.height];
    if (lying) line(ctx, x, area.top, x, area.top + area.height);
    else line(ctx, area.left, y, area.left + area.width, y);
    ctx.setLineDash([]);
    const words = fitted(name, area.width * 0.6, theme);
    const past = x + 4 + textWidth(words, theme) > area.left + area.width;
    if (lying) write(ctx, words, past ? x - 4 : x + 4, area.top + area.height - 8, theme, { align: past ? "right" : "left", halo: theme.paper });
    else write(ctx, words, area.left + area.width, y - theme.size / 2 - 2, theme, { align: "right", halo: theme.paper });
  }
}

function hit(view: Bars, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const laid = lay(view, box, theme);
  const along = laid.lying ? y : x;
  for (let index = 0; index < view.names.length; index++) {
    const [start, length] = laid.group(index);
    if (along < start || along >= start + length) continue;
    const rows = Object.entries(view.series).slice(0, 8).map(([name, { data }], number) => ({
      text: `${name}  ${format(data[index]!, 4)}`, colour: classColour(number, theme.dark),
    }));
    return { index, words: [{ text: view.names[index]! }, ...rows] };
  }
  return null;
}

function describe(view: Bars): string {
  const tops = Object.entries(view.series).flatMap(([name, { data }]) => {
    const top = largest(data);
    return top < 0 ? [] : [`${name} is largest at ${view.names[top]} with ${format(data[top]!)}`];
  });
  return `${view.title || view.ylabel || "Bars"}: ${tops.join(", ") || "nothing yet"}.`;
}

export const bars: Drawn<Bars> = { shape: "picture", height: 220, draw, hit, describe };
