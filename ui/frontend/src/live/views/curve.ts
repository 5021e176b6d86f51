import { format } from "../../shared/numbers";
import { classColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Curve } from "../data";
import { axis, span } from "../draw/axis";
import { bare, dot, fitted, line, placeholder, widest, write, type Box, type Context } from "../draw/canvas";
import { legend, legendHeight, type Entry } from "../draw/legend";
import { clipped, grid, plane, tickCount, type Plane } from "../draw/plane";
import { trace } from "../draw/trace";
import type { Drawn, Hit, Look } from "./kind";

interface Layout {
  area: Plane;
  entries: Entry[];
  /** Whether names stand at the ends of their lines rather than above. */
  direct: boolean;
}

const MOST_TOLD = 4; // marks, the newest, in the words for those who do not see the picture
function lay(view: Curve, box: Box, theme: Theme): Layout {
  const lines = Object.entries(view.lines);
  const alone = lines.length === 1 && (!view.ylabel || lines[0]![0] === view.ylabel);
  const entries = alone ? [] : lines.map(([name], index) => ({ name, colour: classColour(index, theme.dark) }));
  const direct = !bare(box) && entries.length <= 6 && box.width > 420;
  const room = direct ? Math.min(140, widest(entries.map(({ name }) => name), theme) + 10) : 0;
  const above = direct || bare(box) ? 0 : legendHeight(entries, box.width, theme);
  const [only] = lines;
  const ylabel = view.ylabel || (lines.length === 1 ? only![0] : "");
  const x = axis(span([view.x.data], view.logx), { log: view.logx, snug: true, count: tickCount(box.width, 70) });
  const values = axis(span(lines.map(([, one]) => one.data), view.log), { log: view.log, count: tickCount(box.height, 46) });
  const area = plane(box, x, values, theme, { xlabel: view.xlabel, ylabel, above, right: entries.length ? room : 0 });
  return { area, entries, direct };
}

function draw(ctx: Context, view: Curve, box: Box, theme: Theme, look: Look): void {
  if (!view.x.data.length || !Object.keys(view.lines).length) return placeholder(ctx, box, theme);
  const { area, entries, direct } = lay(view, box, theme);
  grid(ctx, area, theme);
  drawMarks(ctx, view, area, theme);
  clipped(ctx, { left: area.left - 4, top: area.top - 4, width: area.width + 8, height: area.height + 8 }, () => {
    Object.values(view.lines).forEach(({ data }, index) => {
      ctx.strokeStyle = classColour(index, theme.dark);
      ctx.lineWidth = theme.line;
      ctx.lineJoin = "round";
      trace(ctx, view.x.data, data, area.X, area.Y);
      if (view.dots || view.x.data.length === 1) drawDots(ctx, view, data, area, classColour(index, theme.dark), theme);
    });
  });
  if (direct) drawNames(ctx, view, entries, area, theme);
  else if (!area.bare) legend(ctx, entries, 0, 0, box.width, theme);
  const index = look.hover ? nearest(view, area, look.hover[0]) : -1;
  if (index >= 0) drawCursor(ctx, view, index, area, theme);
}

function drawDots(ctx: Context, view: Curve, values: ArrayLike<number>, area: Plane, colour: string, theme: Theme): void {
  if (values.length > 400) return;
  for (let index = 0; index < values.length; index++) {
    const [x, y] = [area.X(view.x.data[index]!), area.Y(values[index]!)];
    if (Number.isFinite(x) && Number.isFinite(y)) dot(ctx, x, y, theme.line * 2, colour, theme.paper);
  }
}

function drawMarks(ctx: Context, view: Curve, area: Plane, theme: Theme): void {
  let free = Number.NEGATIVE_INFINITY;
  for (const [words, at] of Object.entries(view.marks).sort((one, other) => one[1] - other[1])) {
    const x = Math.round(area.X(at)) + 0.5;
    if (!(x >= area.left && x <= area.left + area.width + 1)) continue;
    ctx.strokeStyle = theme.muted;
    ctx.lineWidth = 1;
    ctx.setLineDash([2, 3]);
    line(ctx, x, area.top, x, area.top + area.height);
    ctx.setLineDash([]);
    if (area.bare || x < free) continue;
    const text = fitted(words, 160, theme);
    const width = widest([text], theme);
    const flip = x + 4 + width > area.left + area.width;
    write(ctx, text, flip ? x - 4 : x + 4, area.top + theme.size / 2 + 1, theme, {
      colour: theme.muted, align: flip ? "right" : "left", halo: theme.paper,
    });
    free = x + width + 10;
  }
}

/** Names beside the last finite values, pushed apart until they can be read. */
function drawNames(ctx: Context, view: Curve, entries: Entry[], area: Plane, theme: Theme): void {
  const gap = theme.size + 3;
  const places = entries.map((entry) => {
    const values = view.lines[entry.name]!.data;
    let last = values.length - 1;
    while (last > 0 && !Number.isFinite(area.Y(values[last]!))) last--;
    const y = area.Y(values[last] ?? Number.NaN);
    return { entry, y: Number.isFinite(y) ? Math.min(Math.max(y, area.top), area.top + area.height) : area.top };
  });
  places.sort((one, other) => one.y - other.y);
  for (let index = 1; index < places.length; index++) {
    places[index]!.y = Math.max(places[index]!.y, places[index - 1]!.y + gap);
  }
  let limit = area.top + area.height;
  for (const place of places.reverse()) {
    place.y = Math.min(place.y, limit);
    limit = place.y - gap;
    write(ctx, fitted(place.entry.name, 130, theme), area.left + area.width + 8, place.y, theme, { colour: place.entry.colour });
  }
}

/** Number of the point whose x is nearest to a place on the canvas, or -1. */
function nearest(view: Curve, area: Plane, x: number): number {
  if (x < area.left - 8 || x > area.left + area.width + 8) return -1;
  const xs = view.x.data;
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (area.X(xs[middle]!) < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - area.X(xs[low - 1]!) < area.X(xs[low]!) - x ? low - 1 : low;
}

function drawCursor(ctx: Context, view: Curve, index: number, area: Plane, theme: Theme): void {
  const x = area.X(view.x.data[index]!);
  ctx.strokeStyle = theme.muted;
  ctx.lineWidth = 1;
  line(ctx, Math.round(x) + 0.5, area.top, Math.round(x) + 0.5, area.top + area.height);
  Object.values(view.lines).forEach(({ data }, number) => {
    const y = area.Y(data[index]!);
    if (Number.isFinite(y)) dot(ctx, x, y, 3.5, classColour(number, theme.dark), theme.paper);
  });
}

function hit(view: Curve, box: Box, x: number, _y: number, theme: Theme): Hit | null {
  if (!view.x.data.length) return null;
  const index = nearest(view, lay(view, box, theme).area, x);
  if (index < 0) return null;
  const rows = Object.entries(view.lines).slice(0, 8).map(([name, { data }], number) => ({
    text: `${name}  ${format(data[index]!, 4)}`, colour: classColour(number, theme.dark),
  }));
  return { index, words: [{ text: `${view.xlabel || "x"}  ${format(view.x.data[index]!, 5)}` }, ...rows] };
}

function describe(view: Curve): string {
  const over = `${view.title || view.ylabel || "Curves"} over ${view.xlabel || "x"}`;
  const ends = Object.entries(view.lines)
    .filter(([, { data }]) => data.length)
    .map(([name, { data }]) => `${name} ends at ${format(data[data.length - 1]!)}`);
  const marks = Object.keys(view.marks);
  const marked = marks.length ? ` Marked: ${marks.slice(-MOST_TOLD).join(", ")}.` : "";
  return `${over}: ${ends.join(", ") || "nothing yet"}.${marked}`;
}

export const curve: Drawn<Curve> = { shape: "picture", height: 220, draw, hit, describe };
