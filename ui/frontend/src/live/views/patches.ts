/** What a part of a picture looks at, over the picture itself. */
import { format } from "../../shared/numbers";
import type { Theme } from "../../shared/theme";
import type { Patches } from "../data";
import { bare, placeholder, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { bitmap, colourBitmap } from "../draw/raster";
import type { Drawn, Hit, Look } from "./kind";
import { placeIn } from "./pointing";

const CHIP = 84; // room for a token that is no part of the picture [px]

interface Layout {
  picture: Rectangle;
  chips: { name: string; place: number; at: Rectangle }[];
}

function lay(view: Patches, box: Box, theme: Theme): Layout {
  const [rows = 1, columns = 1] = view.image.shape;
  const extra = Object.entries(view.extra);
  const beside = extra.length && !bare(box) ? CHIP : 0;
  const scale = Math.min((box.width - beside - 4) / columns, (box.height - 4) / rows);
  const [width, height] = [Math.max(1, scale * columns), Math.max(1, scale * rows)];
  const picture = { left: beside + (box.width - beside - width) / 2, top: (box.height - height) / 2, width, height };
  const high = theme.size + 12;
  const chips = beside ? extra.map(([name, place], index) => ({ name, place, at: { left: 2, top: picture.top + index * (high + 4), width: CHIP - 10, height: high } })) : [];
  return { picture, chips };
}

function patchAt(view: Patches, { left, top, width, height }: Rectangle, index: number): Rectangle {
  const [rows, columns] = view.grid;
  const [wide, high] = [width / columns, height / rows];
  return { left: left + (index % columns) * wide, top: top + Math.floor(index / columns) * high, width: wide, height: high };
}

function draw(ctx: Context, view: Patches, box: Box, theme: Theme, look: Look): void {
  const [rows = 0, columns = 0, colours] = view.image.shape;
  const [count = 0] = view.weights.shape;
  if (!rows || !columns || !count) return placeholder(ctx, box, theme);
  const { picture, chips } = lay(view, box, theme);
  const sheet = colours ? colourBitmap(view.image.data, rows, columns, 0) : bitmap({ values: view.image.data, rows, columns, range: [0, 1], scale: "grey" }, theme);
  ctx.imageSmoothingEnabled = picture.width < columns;
  ctx.drawImage(sheet, picture.left, picture.top, picture.width, picture.height);
  const at = placeIn(look.pointed, view.row) ?? (view.place >= 0 ? view.place : 0);
  const weights = view.weights.data.subarray(at * count, (at + 1) * count);
  const most = Math.max(1e-12, ...weights);
  view.places.forEach((place, index) => {
    const share = Math.min(1, Math.max(0, weights[place]! / most)) || 0;
    const patch = patchAt(view, picture, index);
    ctx.globalAlpha = 0.85 * share;
    ctx.fillStyle = theme.positive;
    ctx.fillRect(patch.left, patch.top, patch.width, patch.height);
    ctx.globalAlpha = 1;
    if (place === at) frame(ctx, patch, theme);
  });
  for (const { name, place, at: chip } of chips) {
    const share = Math.min(1, Math.max(0, weights[place]! / most)) || 0;
    ctx.globalAlpha = 0.85 * share;
    ctx.fillStyle = theme.positive;
    ctx.fillRect(chip.left, chip.top, chip.width, chip.height);
    ctx.globalAlpha = 1;
    ctx.lineWidth = 1;
    ctx.strokeStyle = theme.faint;
    ctx.strokeRect(chip.left, chip.top, chip.width, chip.height);
    write(ctx, name, chip.left + chip.width / 2, chip.top + chip.height / 2, theme, { align: "center", halo: theme.paper });
    if (place === at) frame(ctx, chip, theme);
  }
}

function frame(ctx: Context, { left, top, width, height }: Rectangle, theme: Theme): void {
  for (const [thick, ink] of [[4, theme.paper], [2, theme.negative]] as const) {
    ctx.lineWidth = thick;
    ctx.strokeStyle = ink;
    ctx.strokeRect(left, top, width, height);
  }
}

function hit(view: Patches, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const { picture, chips } = lay(view, box, theme);
  const chip = chips.find(({ at }) => x >= at.left && x <= at.left + at.width && y >= at.top && y <= at.top + at.height);
  if (chip) return found(view, chip.place, chip.name);
  const [rows, columns] = view.grid;
  const row = Math.floor(((y - picture.top) / picture.height) * rows);
  const column = Math.floor(((x - picture.left) / picture.width) * columns);
  if (row < 0 || row >= rows || column < 0 || column >= columns) return null;
  return found(view, view.places[row * columns + column]!, `patch in row ${row + 1}, column ${column + 1}`);
}

function found(view: Patches, place: number, name: string): Hit {
  const [count = 0] = view.weights.shape;
  const self = view.weights.data[place * count + place];
  return { index: place, words: [{ text: `what ${name} looks at` }, { text: `itself: ${format(self ?? Number.NaN, 2)}` }], pointed: { looking: [view.row, place] } };
}

function describe(view: Patches): string {
  return `${view.title || "Attention"} over a picture of ${view.grid[0]} × ${view.grid[1]} patches.`;
}

export const patches: Drawn<Patches> = { shape: "picture", height: 340, draw, hit, describe, marks: true };
