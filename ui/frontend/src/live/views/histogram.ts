import { format } from "../../shared/numbers";
import { classColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Histogram } from "../data";
import { axis, span } from "../draw/axis";
import { bare, placeholder, type Box, type Context } from "../draw/canvas";
import { legend, legendHeight, type Entry } from "../draw/legend";
import { clipped, grid, plane, tickCount, type Plane } from "../draw/plane";
import { trace } from "../draw/trace";
import { largest, type Drawn, type Hit } from "./kind";

function entriesOf(view: Histogram, theme: Theme): Entry[] {
  const names = [...Object.keys(view.counts), ...Object.keys(view.curve)];
  return names.length > 1 ? names.map((name, index) => ({ name, colour: colourOf(view, index, theme) })) : [];
}

/** A lone curve over lone bars is drawn in ink; else each name has a colour. */
function colourOf(view: Histogram, index: number, theme: Theme): string {
  const bars = Object.keys(view.counts).length;
  return index >= bars && Object.keys(view.curve).length === 1 ? theme.text : classColour(index, theme.dark);
}

function lay(view: Histogram, box: Box, theme: Theme): Plane {
  const above = bare(box) ? 0 : legendHeight(entriesOf(view, theme), box.width, theme);
  const x = axis(span([view.edges.data]), { snug: true, count: tickCount(box.width, 70) });
  const ends = span([...Object.values(view.counts), ...Object.values(view.curve)].map(({ data }) => data), view.log);
  const y = axis(ends && !view.log ? [Math.min(0, ends[0]), ends[1]] : ends, { log: view.log, count: tickCount(box.height, 46) });
  return plane(box, x, y, theme, { xlabel: view.xlabel, ylabel: view.ylabel, above });
}

function draw(ctx: Context, view: Histogram, box: Box, theme: Theme): void {
  const edges = view.edges.data;
  if (edges.length < 2) return placeholder(ctx, box, theme);
  const area = lay(view, box, theme);
  grid(ctx, area, theme);
  const floor = area.top + area.height;
  clipped(ctx, area, () => {
    Object.values(view.counts).forEach(({ data }, index) => {
      outline(ctx, edges, data, area, floor);
      ctx.fillStyle = ctx.strokeStyle = colourOf(view, index, theme);
      ctx.globalAlpha = Object.keys(view.counts).length > 1 ? 0.28 : 0.4;
      ctx.fill();
      ctx.globalAlpha = 1;
      ctx.lineWidth = theme.line * 0.8;
      ctx.stroke();
    });
    Object.values(view.curve).forEach(({ data }, index) => {
      ctx.strokeStyle = colourOf(view, Object.keys(view.counts).length + index, theme);
      ctx.lineWidth = theme.line;
      trace(ctx, edges, data, area.X, area.Y);
    });
  });
  if (!area.bare) legend(ctx, entriesOf(view, theme), 0, 0, box.width, theme);
}

/** The skyline of the counts, as a closed path. */
function outline(ctx: Context, edges: ArrayLike<number>, counts: ArrayLike<number>, area: Plane, floor: number): void {
  ctx.beginPath();
  ctx.moveTo(area.X(edges[0]!), floor);
  for (let index = 0; index < counts.length; index++) {
    const y = area.Y(counts[index]!);
    const height = Number.isFinite(y) ? Math.min(y, floor) : floor;
    ctx.lineTo(area.X(edges[index]!), height);
    ctx.lineTo(area.X(edges[index + 1]!), height);
  }
  ctx.lineTo(area.X(edges[edges.length - 1]!), floor);
  ctx.closePath();
}

function hit(view: Histogram, box: Box, x: number, _y: number, theme: Theme): Hit | null {
  const area = lay(view, box, theme);
  const edges = view.edges.data;
  for (let index = 0; index + 1 < edges.length; index++) {
    if (x < area.X(edges[index]!) || x >= area.X(edges[index + 1]!)) continue;
    const rows = Object.entries(view.counts).slice(0, 8).map(([name, { data }], number) => ({
      text: `${name}  ${format(data[index]!, 4)}`, colour: classColour(number, theme.dark),
    }));
    return { index, words: [{ text: `${format(edges[index]!)} to ${format(edges[index + 1]!)}` }, ...rows] };
  }
  return null;
}

function describe(view: Histogram): string {
  const peaks = Object.entries(view.counts).flatMap(([name, { data }]) => {
    const top = largest(data);
    return top < 0 ? [] : [`${name} is most frequent from ${format(view.edges.data[top]!)} to ${format(view.edges.data[top + 1]!)}`];
  });
  return `${view.title || view.xlabel || "Histogram"}: ${peaks.join(", ") || "nothing yet"}.`;
}

export const histogram: Drawn<Histogram> = { shape: "picture", height: 220, draw, hit, describe };
