import { format } from "../../shared/numbers";
import { classColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Field, Named, Numbers } from "../data";
import { axis } from "../draw/axis";
import { bare, dot, placeholder, type Box, type Context } from "../draw/canvas";
import { colourBar, colourBarRoom } from "../draw/colourbar";
import { contours } from "../draw/contours";
import { legend, legendHeight, type Entry } from "../draw/legend";
import { clipped, grid, nearlySquare, plane, tickCount, type Plane } from "../draw/plane";
import { bitmap, range } from "../draw/raster";
import { tracePairs } from "../draw/trace";
import { classEntries, drawPlace, drawPoints, nearestPoint, placeHit } from "./points";
import { placeWords, spanWords, type Drawn, type Hit, type Look } from "./kind";

interface Layout {
  area: Plane;
  entries: Entry[];
  barred: boolean;
}

const lightInk = "#ffffff";
const darkInk = "rgba(0,0,0,0.65)";

function pathColour(index: number, count: number): string {
  // One path is white in a dark rim, to be seen on every colour; several need colours of their own.
  return count === 1 ? lightInk : classColour(index + 1, true);
}

function lay(view: Field, box: Box, theme: Theme): Layout {
  const [left, right, bottom, top] = view.extent;
  const names = Object.keys(view.paths);
  const paths = names.length > 1 ? names.map((name, index) => ({ name, colour: pathColour(index, names.length) })) : [];
  const entries = [...(view.points ? classEntries(view.points, theme) : []), ...paths];
  const barred = view.scale !== "classes" && box.width > 300 && !bare(box);
  const above = bare(box) ? 0 : legendHeight(entries, box.width, theme);
  const x = axis([left, right], { snug: true, count: tickCount(box.width, 70) });
  const y = axis([bottom, top], { snug: true, count: tickCount(box.height, 50) });
  const area = plane(box, x, y, theme, {
    xlabel: view.xlabel, ylabel: view.ylabel, above, equal: nearlySquare(view.extent),
    right: barred ? colourBarRoom(range(view.values.data, view.scale), theme) : 0,
  });
  return { area, entries, barred };
}

function draw(ctx: Context, view: Field, box: Box, theme: Theme, look: Look): void {
  const [rows, columns] = [view.values.shape[0] ?? 0, view.values.shape[1] ?? 0];
  if (!rows || !columns) return placeholder(ctx, box, theme);
  const { area, entries, barred } = lay(view, box, theme);
  const ends = range(view.values.data, view.scale);
  const picture = bitmap({ values: view.values.data, rows, columns, range: ends, scale: view.scale, upward: true }, theme);
  ctx.imageSmoothingEnabled = view.scale !== "classes";
  ctx.imageSmoothingQuality = "high";
  ctx.globalAlpha = veil(view);
  ctx.drawImage(picture, area.left, area.top, area.width, area.height);
  ctx.globalAlpha = 1;
  clipped(ctx, area, () => {
    if (view.contours) drawContours(ctx, view, area, theme);
    if (view.points) drawPoints(ctx, view.points, area, theme);
    drawPaths(ctx, view.paths, area, theme);
  });
  grid(ctx, area, theme, { lines: "none" });
  drawPlace(ctx, area, look.place, theme);
  if (barred) colourBar(ctx, area, ends, view.scale, theme, veil(view));
  if (!area.bare) legend(ctx, entries, 0, 0, box.width, theme);
}

/** Opacity of the field: points have the same colours and must stand out from it. */
function veil(view: Field): number {
  return view.points && view.scale !== "sequential" ? 0.5 : 1;
}

function drawContours(ctx: Context, view: Field, area: Plane, theme: Theme): void {
  const [rows, columns] = view.values.shape as [number, number];
  const [width, height] = [area.width / columns, area.height / rows];
  // A value stands in the middle of its pixel, where the bitmap shows it.
  const X = (column: number): number => area.left + (column + 0.5) * width;
  const Y = (row: number): number => area.top + area.height - (row + 0.5) * height;
  const signed = view.scale === "signed";
  ctx.strokeStyle = signed ? theme.text : "rgba(255,255,255,0.55)";
  for (const { level, segments } of contours(view.values, signed)) {
    ctx.globalAlpha = signed && level !== 0 ? 0.25 : 1;
    ctx.lineWidth = signed && level === 0 ? 1.5 : 0.75;
    ctx.beginPath();
    for (let index = 0; index < segments.length; index += 4) {
      ctx.moveTo(X(segments[index]!), Y(segments[index + 1]!));
      ctx.lineTo(X(segments[index + 2]!), Y(segments[index + 3]!));
    }
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

function drawPaths(ctx: Context, paths: Named<Numbers>, area: Plane, theme: Theme): void {
  const all = Object.values(paths);
  all.forEach(({ data }, index) => {
    if (data.length < 2) return;
    const colour = pathColour(index, all.length);
    ctx.lineJoin = "round";
    for (const [width, ink] of [[theme.line + 2, darkInk], [theme.line, colour]] as const) {
      ctx.lineWidth = width;
      ctx.strokeStyle = ink;
      tracePairs(ctx, data, 2, area.X, area.Y);
    }
    const [x, y] = [area.X(data[data.length - 2]!), area.Y(data[data.length - 1]!)];
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    dot(ctx, x, y, theme.line + 4, darkInk, darkInk);
    dot(ctx, x, y, theme.line + 3, colour, darkInk);
  });
}

function hit(view: Field, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const { area } = lay(view, box, theme);
  const found = placeHit(area, x, y);
  if (!found?.place) return null;
  const [rows, columns] = view.values.shape as [number, number];
  const column = Math.min(columns - 1, Math.floor(((x - area.left) / area.width) * columns));
  const row = Math.min(rows - 1, Math.floor((1 - (y - area.top) / area.height) * rows));
  const value = view.values.data[row * columns + column] ?? Number.NaN;
  const words = [{ text: placeWords(...found.place) }, { text: format(value, 4) }];
  const index = view.points ? nearestPoint(view.points.xy, area, x, y) : -1;
  return index < 0 ? { ...found, words } : { ...found, words, index };
}

function describe(view: Field): string {
  const ends = Object.entries(view.paths)
    .filter(([, { data }]) => data.length >= 2)
    .map(([name, { data }]) => `; ${name} ends at ${placeWords(data[data.length - 2]!, data[data.length - 1]!)}`);
  return `${view.title || "A field"} from ${spanWords(view.values.data)}${ends.join("")}.`;
}

export const field: Drawn<Field> = { shape: "picture", height: 260, draw, hit, describe };
