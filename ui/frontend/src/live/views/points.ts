import { classColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Extent, Numbers, Points } from "../data";
import { axis, span } from "../draw/axis";
import { bare, dot, placeholder, type Box, type Context } from "../draw/canvas";
import { legend, legendHeight, type Entry } from "../draw/legend";
import { clipped, grid, plane, tickCount, valueAt, type Plane } from "../draw/plane";
import { tracePairs } from "../draw/trace";
import { placeWords, type Drawn, type Hit, type Look } from "./kind";

/** The classes that occur, by name; empty where there is but one kind of point. */
export function classEntries(view: Points, theme: Theme): Entry[] {
  const seen = [...new Set(view.labels.data)].sort((one, other) => one - other);
  if (seen.length < 2 && !view.names.length) return [];
  if (seen.length > 12 && !view.names.length) return [];
  return seen.map((label) => ({ name: view.names[label] ?? String(label), colour: classColour(label, theme.dark) }));
}

/** The part of the plane that points and lines take up, with a little room. */
export function around(arrays: Iterable<Numbers>): Extent {
  const xs: number[][] = [];
  const ys: number[][] = [];
  for (const { data } of arrays) {
    const [x, y]: [number[], number[]] = [[], []];
    for (let index = 0; index + 1 < data.length; index += 2) {
      x.push(data[index]!);
      y.push(data[index + 1]!);
    }
    xs.push(x);
    ys.push(y);
  }
  return [...roomy(span(xs)), ...roomy(span(ys))];
}

function roomy(ends: [number, number] | null): [number, number] {
  if (!ends) return [0, 1];
  const room = (ends[1] - ends[0]) * 0.06 || Math.abs(ends[0]) * 0.1 || 1;
  return [ends[0] - room, ends[1] + room];
}

function entriesOf(view: Points, theme: Theme): Entry[] {
  const classes = classEntries(view, theme);
  const names = view.behind ? [] : Object.keys(view.lines); // links and ways are all alike
  return [...classes, ...names.map((name, index) => ({ name, colour: lineColour(index, names.length, theme) }))];
}

function lineColour(index: number, count: number, theme: Theme): string {
  return count === 1 ? theme.text : classColour(index + 5, theme.dark);
}

function lay(view: Points, box: Box, theme: Theme): Plane {
  const [left, right, bottom, top] = view.extent ?? around([view.xy, ...Object.values(view.lines)]);
  const above = bare(box) ? 0 : legendHeight(entriesOf(view, theme), box.width, theme);
  const x = axis([left, right], { snug: true, count: tickCount(box.width, 70) });
  const y = axis([bottom, top], { snug: true, count: tickCount(box.height, 50) });
  return plane(box, x, y, theme, { xlabel: view.xlabel, ylabel: view.ylabel, above, equal: view.equal });
}

function draw(ctx: Context, view: Points, box: Box, theme: Theme, look: Look): void {
  const lines = Object.values(view.lines);
  if (!view.xy.data.length && !lines.some((one) => one.data.length)) return placeholder(ctx, box, theme);
  const area = lay(view, box, theme);
  grid(ctx, area, theme, { lines: "both" });
  if (!area.bare) legend(ctx, entriesOf(view, theme), 0, 0, box.width, theme);
  clipped(ctx, area, () => {
    if (!view.behind) drawPoints(ctx, view, area, theme);
    lines.forEach((one, index) => {
      ctx.strokeStyle = view.behind ? theme.muted : lineColour(index, lines.length, theme);
      ctx.lineWidth = view.behind ? theme.line / 2 : theme.line;
      tracePairs(ctx, one.data, 2, area.X, area.Y);
    });
    if (view.behind) drawPoints(ctx, view, area, theme);
  });
  drawPlace(ctx, area, look.place, theme);
}

/** Draws points over whatever lies under them; thousands as plain squares, which are cheap. */
export function drawPoints(ctx: Context, view: Points, area: Plane, theme: Theme): void {
  const { xy, labels } = view;
  const count = Math.floor(xy.data.length / 2);
  const room = Math.min(1, Math.max(0.4, Math.min(area.width, area.height) / 260));
  const radius = room * (count > 5000 ? 0.8 : count > 800 ? 1.6 : count > 200 ? 2.4 : 3.5);
  ctx.globalAlpha = count > 5000 ? 0.6 : 1;
  for (let index = 0; index < count; index++) {
    const x = area.X(xy.data[2 * index]!);
    const y = area.Y(xy.data[2 * index + 1]!);
    if (x - x !== 0 || y - y !== 0) continue;
    const colour = classColour(labels.data[index] ?? 0, theme.dark);
    if (radius < 2) {
      ctx.fillStyle = colour;
      ctx.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    } else {
      dot(ctx, x, y, radius * (theme.line / 1.5), colour, theme.paper);
    }
  }
  ctx.globalAlpha = 1;
}

/** A cross-hair where a `Place` control stands. */
export function drawPlace(ctx: Context, area: Plane, place: Look["place"], theme: Theme): void {
  if (!place) return;
  const [x, y] = [area.X(place[0]), area.Y(place[1])];
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  for (const [width, colour] of [[4, theme.paper], [2, theme.accent]] as const) {
    ctx.lineWidth = width;
    ctx.strokeStyle = colour;
    ctx.beginPath();
    ctx.arc(x, y, 7, 0, 2 * Math.PI);
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]] as const) {
      ctx.moveTo(x + 7 * dx, y + 7 * dy);
      ctx.lineTo(x + 13 * dx, y + 13 * dy);
    }
    ctx.stroke();
  }
}

/** The point under a place on the canvas, as a hit. */
export function placeHit(area: Plane, x: number, y: number): Hit | null {
  const place = valueAt(area, x, y);
  return place && { place, words: [{ text: placeWords(...place) }] };
}

function hit(view: Points, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const area = lay(view, box, theme);
  const found = placeHit(area, x, y);
  if (!found) return null;
  const index = nearestPoint(view.xy, area, x, y);
  if (index < 0) return found;
  const label = view.labels.data[index];
  const name = label === undefined ? "" : `${view.names[label] ?? `class ${label}`}  `;
  const words = `${name}${placeWords(view.xy.data[2 * index]!, view.xy.data[2 * index + 1]!)}`;
  return { ...found, index, words: [{ text: words, colour: classColour(label ?? 0, theme.dark) }] };
}

/** Number of the point within a finger's width of a place, or -1. */
export function nearestPoint(xy: Numbers, area: Plane, x: number, y: number): number {
  let best = -1;
  let least = 12 ** 2;
  for (let index = 0; 2 * index + 1 < xy.data.length; index++) {
    const distance = (area.X(xy.data[2 * index]!) - x) ** 2 + (area.Y(xy.data[2 * index + 1]!) - y) ** 2;
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

function describe(view: Points): string {
  const count = Math.floor(view.xy.data.length / 2);
  const classes = new Set(view.labels.data).size;
  const names = Object.keys(view.lines);
  const kinds = classes > 1 ? ` of ${classes} classes` : "";
  return `${view.title || "Points"}: ${count} points${kinds}${names.length ? ` with ${names.slice(0, 6).join(", ")}` : ""}.`;
}

export const points: Drawn<Points> = { shape: "picture", height: 240, draw, hit, describe };
