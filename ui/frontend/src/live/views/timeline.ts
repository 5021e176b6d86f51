import { format } from "../../shared/numbers";
import { classColour, hex, luminance } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Span, Timeline } from "../data";
import { axis, span } from "../draw/axis";
import { bare, fitted, line, placeholder, roundedBox, widest, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { legend, legendHeight, type Entry } from "../draw/legend";
import { grid, plane, tickCount, type Plane } from "../draw/plane";
import type { Drawn, Hit, Look } from "./kind";

function kindsOf(view: Timeline): string[] {
  return [...new Set(view.spans.map(({ kind }) => kind))];
}

function entriesOf(view: Timeline, theme: Theme): Entry[] {
  const kinds = kindsOf(view);
  return kinds.length > 1 ? kinds.map((name, index) => ({ name: name || "other", colour: classColour(index, theme.dark) })) : [];
}

function lay(view: Timeline, box: Box, theme: Theme): Plane {
  const above = bare(box) ? 0 : legendHeight(entriesOf(view, theme), box.width, theme);
  const ends = span([view.spans.flatMap(({ start, end }) => [start, end])]);
  const x = axis(ends && [Math.min(0, ends[0]), ends[1]], { snug: true, count: tickCount(box.width, 70) });
  const y = { ...axis([0, Math.max(1, view.lanes.length)], { snug: true }), ticks: [] };
  const left = Math.min(widest(view.lanes, theme), box.width * 0.3);
  return plane(box, x, y, theme, { xlabel: view.xlabel, above, left });
}

function placeOf(view: Timeline, one: Span, area: Plane): Rectangle | null {
  const lane = view.lanes.indexOf(one.lane);
  const [left, right] = [area.X(one.start), area.X(one.end)];
  if (lane < 0 || !Number.isFinite(left + right)) return null;
  const height = area.height / view.lanes.length;
  const thick = Math.min(height * 0.72, 34);
  return { left, top: area.top + (lane + 0.5) * height - thick / 2, width: Math.max(1, right - left), height: thick };
}

function draw(ctx: Context, view: Timeline, box: Box, theme: Theme, look: Look): void {
  if (!view.lanes.length) return placeholder(ctx, box, theme);
  const area = lay(view, box, theme);
  grid(ctx, area, theme, { lines: "both" });
  view.lanes.forEach((name, lane) => {
    const y = area.top + ((lane + 0.5) * area.height) / view.lanes.length;
    ctx.strokeStyle = theme.faint;
    ctx.lineWidth = 1;
    line(ctx, area.left, y, area.left + area.width, y);
    if (!area.bare) write(ctx, fitted(name, area.left - 10, theme), area.left - 8, y, theme, { colour: theme.muted, align: "right" });
  });
  const kinds = kindsOf(view);
  view.spans.forEach((one, index) => {
    const place = placeOf(view, one, area);
    if (!place) return;
    const colour = classColour(kinds.indexOf(one.kind), theme.dark);
    ctx.fillStyle = colour;
    roundedBox(ctx, { ...place, width: Math.max(1, place.width - 1) }, 3);
    ctx.fill();
    if (look.picked === index) {
      ctx.strokeStyle = theme.accent;
      ctx.lineWidth = 2;
      ctx.stroke();
    }
    const words = area.bare || !one.label ? "" : fitted(one.label, place.width - 6, theme);
    const ink = luminance(hex(colour)) > 0.3 ? "#14181f" : "#ffffff";
    // A lone letter and an ellipsis say nothing.
    if (words === one.label || words.length > 3) {
      write(ctx, words, place.left + place.width / 2, place.top + place.height / 2 + 0.5, theme, { align: "center", colour: ink });
    }
  });
  if (!area.bare) legend(ctx, entriesOf(view, theme), 0, 0, box.width, theme);
}

function hit(view: Timeline, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const area = lay(view, box, theme);
  const index = view.spans.findLastIndex((one) => {
    const place = placeOf(view, one, area);
    return place && x >= place.left && x <= place.left + place.width && y >= place.top && y <= place.top + place.height;
  });
  if (index < 0) return null;
  const { label, kind, lane, start, end } = view.spans[index]!;
  const words = [[lane, label || kind].filter(Boolean).join(": "), `${format(start)} to ${format(end)}, ${format(end - start)} long`];
  return { index, words: words.map((text) => ({ text })) };
}

function describe(view: Timeline): string {
  const ends = span([view.spans.map(({ end }) => end)]);
  return `${view.title || "A timeline"} of ${view.lanes.length} lanes and ${view.spans.length} spans${ends ? `, until ${format(ends[1])}` : ""}.`;
}

export const timeline: Drawn<Timeline> = { shape: "wide", height: 220, draw, hit, describe };
