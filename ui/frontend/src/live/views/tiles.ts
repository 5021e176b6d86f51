import type { Theme } from "../../shared/theme";
import type { Tiles } from "../data";
import { fitted, placeholder, roundedBox, textWidth, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { bitmap, colourBitmap, range, type Range } from "../draw/raster";
import type { Drawn, Hit, Look } from "./kind";

const LEAST_SIZE = 8; // smaller letters cannot be read [px]
const RIM = 3; // room for frames around the outermost pictures [px]

interface Layout {
  across: number;
  /** Size of a picture without its words [px]. */
  width: number;
  height: number;
  /** From one picture to the next [px]. */
  stepX: number;
  stepY: number;
  left: number;
  top: number;
}

function shapeOf(view: Tiles): [count: number, rows: number, columns: number] {
  return [view.images.shape[0] ?? 0, view.images.shape[1] ?? 0, view.images.shape[2] ?? 0];
}

/** The number of tiles side by side that makes them largest, or the number asked for. */
function lay(view: Tiles, box: Box, theme: Theme): Layout {
  const [count, rows, columns] = shapeOf(view);
  const words = view.captions.some(Boolean) ? theme.size + 5 : 0;
  const gap = count > 40 ? 3 : 6;
  const inner = { width: box.width - 2 * RIM, height: box.height - 2 * RIM };
  let best: Layout | undefined;
  for (let across = view.across || 1; across <= (view.across || Math.min(count, 64)); across++) {
    const down = Math.ceil(count / across);
    const room = { width: (inner.width - gap * (across - 1)) / across, height: (inner.height - gap * (down - 1)) / down - words };
    const scale = Math.max(0.2, Math.min(room.width / columns, room.height / rows));
    if (best && scale * columns <= best.width) continue;
    const [width, height] = [scale * columns, scale * rows];
    const [stepX, stepY] = [Math.min(width + gap, (inner.width + gap) / across), height + words + gap];
    best = {
      across, width, height, stepX, stepY,
      left: Math.max(RIM, (box.width - stepX * across + gap) / 2),
      top: Math.max(RIM, (box.height - stepY * down + gap) / 2),
    };
  }
  return best ?? { across: 1, width: 0, height: 0, stepX: 1, stepY: 1, left: 0, top: 0 };
}

function placeOf({ across, width, height, stepX, stepY, left, top }: Layout, index: number): Rectangle {
  return { left: left + (index % across) * stepX, top: top + Math.floor(index / across) * stepY, width, height };
}

function draw(ctx: Context, view: Tiles, box: Box, theme: Theme, look: Look): void {
  const [count, rows, columns] = shapeOf(view);
  if (!count || !rows || !columns) return placeholder(ctx, box, theme);
  const laid = lay(view, box, theme);
  const ends = view.shared ? range(view.images.data, view.scale) : null;
  ctx.imageSmoothingEnabled = laid.width < columns;
  for (let index = 0; index < count; index++) {
    const place = placeOf(laid, index);
    if (place.top > box.height) break;
    ctx.drawImage(picture(view, index, ends, theme), place.left, place.top, place.width, place.height);
    ctx.lineWidth = 1;
    ctx.strokeStyle = theme.faint;
    ctx.strokeRect(place.left - 0.5, place.top - 0.5, place.width + 1, place.height + 1);
    const why = view.marks[index];
    if (why !== undefined) framed(ctx, place, theme.negative);
    if (look.picked === index) framed(ctx, place, theme.accent);
    const caption = view.captions[index] ?? "";
    const size = Math.max(LEAST_SIZE, Math.min(theme.size, (theme.size * (laid.stepX - 2)) / Math.max(1, textWidth(caption, theme))));
    const words = fitted(caption, laid.stepX - 2, theme, size);
    write(ctx, words, place.left + place.width / 2, place.top + place.height + theme.size / 2 + 3, theme, {
      colour: why === undefined ? theme.muted : theme.negative, align: "center", size,
    });
  }
}

function picture(view: Tiles, index: number, shared: Range | null, theme: Theme): HTMLCanvasElement {
  const [, rows, columns] = shapeOf(view);
  const values = view.images.data;
  if (view.images.shape.length === 4) return colourBitmap(values, rows, columns, index * rows * columns * 3);
  const offset = index * rows * columns;
  const ends = shared ?? range(values.subarray(offset, offset + rows * columns), view.scale);
  return bitmap({ values, rows, columns, offset, range: ends, scale: view.scale }, theme);
}

function framed(ctx: Context, { left, top, width, height }: Rectangle, colour: string): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  roundedBox(ctx, { left: left - 2, top: top - 2, width: width + 4, height: height + 4 }, 3);
  ctx.stroke();
}

function hit(view: Tiles, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const [count] = shapeOf(view);
  if (!count) return null;
  const laid = lay(view, box, theme);
  const column = Math.floor((x - laid.left) / laid.stepX);
  const row = Math.floor((y - laid.top) / laid.stepY);
  const index = row * laid.across + column;
  if (column < 0 || column >= laid.across || row < 0 || index >= count) return null;
  const words = [view.captions[index] || `picture ${index}`, view.marks[index]].filter((one): one is string => Boolean(one));
  return { index, words: words.map((text) => ({ text })) };
}

function describe(view: Tiles): string {
  const [count, rows, columns] = shapeOf(view);
  const words = view.captions.length ? `: ${view.captions.slice(0, 10).join(", ")}` : "";
  const marks = Object.entries(view.marks).slice(0, 3).map(([index, why]) => `; number ${index} is marked: ${why}`);
  return `${view.title || "Pictures"}, ${count} of ${rows} × ${columns} pixels${words}${marks.join("")}.`;
}

export const tiles: Drawn<Tiles> = { shape: "picture", height: 220, draw, hit, describe };
