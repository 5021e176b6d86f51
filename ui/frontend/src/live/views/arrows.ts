import { classColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Arrows } from "../data";
import { axis } from "../draw/axis";
import { bare, head, line, placeholder, write, type Box, type Context } from "../draw/canvas";
import { legend, legendHeight, type Entry } from "../draw/legend";
import { clipped, grid, nearlySquare, plane, tickCount, type Plane } from "../draw/plane";
import { tracePairs } from "../draw/trace";
import { classEntries, drawPlace, drawPoints, nearestPoint, placeHit } from "./points";
import { placeWords, type Drawn, type Hit, type Look } from "./kind";

function countOf(view: Arrows): number {
  return Math.min(view.at.data.length, view.vectors.data.length) >> 1;
}

function entriesOf(view: Arrows, theme: Theme): Entry[] {
  const lines = Object.keys(view.lines).map((name, index) => ({ name, colour: classColour(index + 5, theme.dark) }));
  return [...(view.points ? classEntries(view.points, theme) : []), ...lines];
}

function lay(view: Arrows, box: Box, theme: Theme): Plane {
  const [left, right, bottom, top] = view.extent;
  const above = bare(box) ? 0 : legendHeight(entriesOf(view, theme), box.width, theme);
  const x = axis([left, right], { snug: true, count: tickCount(box.width, 70) });
  const y = axis([bottom, top], { snug: true, count: tickCount(box.height, 50) });
  return plane(box, x, y, theme, { xlabel: view.xlabel, ylabel: view.ylabel, above, equal: nearlySquare(view.extent) });
}

function draw(ctx: Context, view: Arrows, box: Box, theme: Theme, look: Look): void {
  if (!countOf(view) && !Object.keys(view.lines).length && !view.points) return placeholder(ctx, box, theme);
  const area = lay(view, box, theme);
  grid(ctx, area, theme, { lines: "both" });
  clipped(ctx, area, () => {
    drawZero(ctx, area, theme);
    if (view.points) drawPoints(ctx, view.points, area, theme);
    Object.values(view.lines).forEach(({ data }, index) => {
      ctx.strokeStyle = classColour(index + 5, theme.dark);
      ctx.lineWidth = theme.line;
      tracePairs(ctx, data, 2, area.X, area.Y);
    });
    drawArrows(ctx, view, area, theme);
  });
  drawNames(ctx, view, area, theme);
  drawPlace(ctx, area, look.place, theme);
  if (!area.bare) legend(ctx, entriesOf(view, theme), 0, 0, box.width, theme);
}

function drawZero(ctx: Context, area: Plane, theme: Theme): void {
  ctx.strokeStyle = theme.muted;
  ctx.globalAlpha = 0.5;
  ctx.lineWidth = 1;
  const [x, y] = [area.X(0), area.Y(0)];
  line(ctx, x, area.top, x, area.top + area.height);
  line(ctx, area.left, y, area.left + area.width, y);
  ctx.globalAlpha = 1;
}

function drawArrows(ctx: Context, view: Arrows, area: Plane, theme: Theme): void {
  const count = countOf(view);
  const thin = count > 40;
  for (let index = 0; index < count; index++) {
    const [x1, y1, x2, y2] = endsOf(view, area, index);
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (!(length > 0.3)) continue;
    ctx.strokeStyle = ctx.fillStyle = view.names.length ? classColour(index, theme.dark) : theme.positive;
    ctx.lineWidth = thin ? theme.line * 0.8 : theme.line * 1.4;
    const angle = Math.atan2(y2 - y1, x2 - x1);
    const size = Math.min(thin ? 6 : 11, length * 0.6);
    line(ctx, x1, y1, x2 - size * 0.7 * Math.cos(angle), y2 - size * 0.7 * Math.sin(angle));
    head(ctx, x2, y2, angle, size);
  }
}

function endsOf(view: Arrows, area: Plane, index: number): [x1: number, y1: number, x2: number, y2: number] {
  const [x, y] = [view.at.data[2 * index]!, view.at.data[2 * index + 1]!];
  return [area.X(x), area.Y(y), area.X(x + view.vectors.data[2 * index]!), area.Y(y + view.vectors.data[2 * index + 1]!)];
}

/** Names just beyond the heads, inside the picture. */
function drawNames(ctx: Context, view: Arrows, area: Plane, theme: Theme): void {
  if (area.bare) return;
  view.names.forEach((name, index) => {
    if (index >= countOf(view)) return;
    const [x1, y1, x2, y2] = endsOf(view, area, index);
    if (!Number.isFinite(x2 + y2)) return;
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const x = Math.min(Math.max(x2 + ((x2 - x1) / length) * 10, area.left + 6), area.left + area.width - 6);
    const y = Math.min(Math.max(y2 + ((y2 - y1) / length) * 12, area.top + 8), area.top + area.height - 8);
    const align = x2 >= x1 ? (x > area.left + area.width - 60 ? "right" : "left") : x < area.left + 60 ? "left" : "right";
    write(ctx, name, x, y, theme, { colour: classColour(index, theme.dark), align, halo: theme.paper });
  });
}

function hit(view: Arrows, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const area = lay(view, box, theme);
  const found = placeHit(area, x, y);
  if (!found) return null;
  const tips = Float32Array.from(view.at.data, (value, index) => value + (view.vectors.data[index] ?? 0));
  const index = nearestPoint({ shape: view.at.shape, data: tips }, area, x, y);
  if (index < 0) return found;
  const vector = placeWords(view.vectors.data[2 * index]!, view.vectors.data[2 * index + 1]!);
  return { ...found, index, words: [{ text: `${view.names[index] ?? "arrow"}  ${vector}` }] };
}

function describe(view: Arrows): string {
  const named = view.names.slice(0, 6).map((name, index) => (
    `${name} is ${placeWords(view.vectors.data[2 * index] ?? Number.NaN, view.vectors.data[2 * index + 1] ?? Number.NaN)}`
  ));
  return `${view.title || "Arrows"}: ${named.length ? named.join(", ") : `${countOf(view)} arrows`}.`;
}

export const arrows: Drawn<Arrows> = { shape: "picture", height: 260, draw, hit, describe };
