/** Every head of every layer as a small map. */
import type { Theme } from "../../shared/theme";
import type { Heads } from "../data";
import { bare, fitted, placeholder, widest, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { bitmap } from "../draw/raster";
import type { Drawn, Hit, Look } from "./kind";
import { cellOf } from "./pointing";

const NAME_ROOM = 130;
const GAP = 3;
const LARGEST = 150; // a map is no larger [px]

interface Layout {
  left: number;
  top: number;
  /** From one map to the next [px]. */
  step: number;
  side: number;
}

function lay(view: Heads, box: Box, theme: Theme): Layout {
  const small = bare(box);
  const left = small ? 2 : Math.min(NAME_ROOM, box.width * 0.25, widest(view.layers, theme)) + 8;
  const top = small ? 2 : theme.size + 6;
  const step = Math.max(3, Math.min(LARGEST, (box.width - left - 2) / view.across, (box.height - top - 2) / view.layers.length));
  return { left, top, step, side: step - Math.min(GAP, step * 0.15) };
}

function placeOf({ left, top, step, side }: Layout, layer: number, head: number): Rectangle {
  return { left: left + head * step, top: top + layer * step, width: side, height: side };
}

function draw(ctx: Context, view: Heads, box: Box, theme: Theme, look: Look): void {
  const [count = 0, rows = 0, columns = 0] = view.maps.shape;
  if (!count || !rows || !columns) return placeholder(ctx, box, theme);
  const laid = lay(view, box, theme);
  const picked = look.picked ?? view.picked;
  ctx.imageSmoothingEnabled = laid.side < columns;
  for (let index = 0; index < count; index++) {
    const offset = index * rows * columns;
    if (!Number.isFinite(view.maps.data[offset])) continue;
    const layer = Math.floor(index / view.across);
    const place = placeOf(laid, layer, index % view.across);
    ctx.drawImage(bitmap({ values: view.maps.data, rows, columns, offset, range: [0, 1], scale: "sequential" }, theme), place.left, place.top, place.width, place.height);
    drawPointed(ctx, view, layer, place, look, theme);
    if (index !== picked) continue;
    for (const [width, ink] of [[4, theme.paper], [2, theme.accent]] as const) {
      ctx.lineWidth = width;
      ctx.strokeStyle = ink;
      ctx.strokeRect(place.left - 1, place.top - 1, place.width + 2, place.height + 2);
    }
  }
  if (!bare(box)) drawNames(ctx, view, laid, theme);
}

/** The row of a map whose token is pointed at somewhere. */
function drawPointed(ctx: Context, view: Heads, layer: number, place: Rectangle, look: Look, theme: Theme): void {
  const axes = view.axes[layer];
  const [rows, columns] = view.places[layer] ?? [0, 0];
  if (!axes || !rows || !columns) return;
  const at = cellOf(look.pointed, axes);
  ctx.fillStyle = theme.negative;
  const [high, wide] = [Math.max(1, place.height / rows), Math.max(1, place.width / columns)];
  ctx.globalAlpha = 0.55;
  if (at.row !== null && at.row < rows) ctx.fillRect(place.left, place.top + (at.row / rows) * place.height, place.width, high);
  if (at.column !== null && at.column < columns) ctx.fillRect(place.left + (at.column / columns) * place.width, place.top, wide, place.height);
  ctx.globalAlpha = 1;
}

function drawNames(ctx: Context, view: Heads, laid: Layout, theme: Theme): void {
  const every = Math.max(1, Math.ceil((theme.size + 2) / laid.step));
  view.layers.forEach((name, layer) => {
    if (layer % every) return;
    write(ctx, fitted(name, laid.left - 8, theme), laid.left - 6, laid.top + layer * laid.step + laid.side / 2, theme, { colour: theme.muted, align: "right" });
  });
  for (let head = 0; head < view.across; head++) {
    if (head % every) continue;
    const words = view.across > 6 || laid.step < 44 ? String(head) : `head ${head}`;
    write(ctx, words, laid.left + head * laid.step + laid.side / 2, theme.size / 2, theme, { colour: theme.muted, align: "center" });
  }
}

function hit(view: Heads, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const [, rows = 0, columns = 0] = view.maps.shape;
  if (!rows || !columns) return null;
  const laid = lay(view, box, theme);
  const head = Math.floor((x - laid.left) / laid.step);
  const layer = Math.floor((y - laid.top) / laid.step);
  if (head < 0 || head >= view.across || layer < 0 || layer >= view.layers.length) return null;
  const index = layer * view.across + head;
  if (!Number.isFinite(view.maps.data[index * rows * columns])) return null;
  return { index, words: [{ text: `${layer}.${head}` }, { text: `${view.layers[layer]}, head ${head}` }] };
}

function describe(view: Heads): string {
  const picked = view.picked < 0 || !view.across ? "" : `; head ${view.picked % view.across} of ${view.layers[Math.floor(view.picked / view.across)]} is picked`;
  return `${view.title || "Attention"} of ${view.layers.length} layers of up to ${view.across} heads${picked}.`;
}

export const heads: Drawn<Heads> = { shape: "picture", height: 340, draw, hit, describe, marks: true };
