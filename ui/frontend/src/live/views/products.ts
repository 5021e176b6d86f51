/** How one place comes to its weights: q, each k, their products, q·k / √d and the softmax. */
import { format } from "../../shared/numbers";
import type { Theme } from "../../shared/theme";
import type { Products } from "../data";
import { bare, fitted, placeholder, widest, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { bitmap, range } from "../draw/raster";
import type { Drawn, Hit, Look } from "./kind";
import { cellOf, pointAt } from "./pointing";

const NUMBERS = 58; // room for a number [px]

interface Layout {
  /** The names, the keys, the products, the scores, the bars. */
  names: number;
  keys: Rectangle;
  products: Rectangle;
  scores: number;
  bars: Rectangle;
  /** Height of a row [px]. */
  step: number;
  top: number;
}

function lay(view: Products, box: Box, theme: Theme): Layout {
  const count = Math.max(1, view.names.length);
  const top = 3 * (theme.size + 6);
  const step = Math.min(26, (box.height - top) / count);
  const names = Math.min(box.width * 0.16, widest(view.names, theme) + 10);
  const rest = Math.max(40, box.width - names - NUMBERS - 24);
  const [strip, bar] = bare(box) ? [rest * 0.45, 0] : [rest * 0.38, rest * 0.24];
  const strips = { top, width: strip, height: step * count };
  return {
    names, step, top,
    keys: { left: names, ...strips },
    products: { left: names + strip + 8, ...strips },
    scores: names + 2 * strip + 16 + NUMBERS,
    bars: { left: names + 2 * strip + 24 + NUMBERS, top, width: Math.max(0, bar - 8), height: step * count },
  };
}

const made = new WeakMap<object, Float32Array>();

/** q times each k, number by number. */
function productsOf({ query, keys }: Products): Float32Array {
  let found = made.get(keys.data);
  if (!found) {
    const size = query.data.length;
    found = Float32Array.from(keys.data, (value, index) => value * query.data[index % size]!);
    made.set(keys.data, found);
  }
  return found;
}

function draw(ctx: Context, view: Products, box: Box, theme: Theme, look: Look): void {
  const [rows, columns] = [view.names.length, view.query.data.length];
  if (!rows || !columns) return placeholder(ctx, box, theme);
  const laid = lay(view, box, theme);
  const products = productsOf(view);
  ctx.imageSmoothingEnabled = false;
  const vectors = range([...range(view.keys.data, "signed"), ...range(view.query.data, "signed")], "signed");
  const strip = { ...laid.keys, top: laid.top - theme.size - 8, height: theme.size };
  paint(ctx, view.query.data, 1, columns, vectors, strip, theme);
  paint(ctx, view.keys.data, rows, columns, vectors, laid.keys, theme);
  paint(ctx, products, rows, columns, range(products, "signed"), laid.products, theme);
  drawHeads(ctx, view, laid, strip, theme);
  const at = cellOf(look.pointed, view.axes);
  view.names.forEach((name, row) => drawRow(ctx, view, laid, name, row, at.column === view.places[row], theme));
}

function paint(ctx: Context, values: ArrayLike<number> & object, rows: number, columns: number, ends: [number, number], area: Rectangle, theme: Theme): void {
  ctx.drawImage(bitmap({ values, rows, columns, range: ends, scale: "signed" }, theme), area.left, area.top, area.width, area.height);
  ctx.strokeStyle = theme.faint;
  ctx.lineWidth = 1;
  ctx.strokeRect(area.left, area.top, area.width, area.height);
}

function drawHeads(ctx: Context, view: Products, laid: Layout, strip: Rectangle, theme: Theme): void {
  const [ink, y] = [{ colour: theme.muted }, theme.size / 2];
  write(ctx, fitted(`query of ${view.at}`, laid.keys.width, theme), laid.keys.left, y, theme, { colour: theme.text });
  write(ctx, "q", laid.keys.left - 6, strip.top + strip.height / 2, theme, { ...ink, align: "right" });
  const below = strip.top + strip.height / 2;
  write(ctx, fitted("q × k", laid.products.width, theme), laid.products.left, below, theme, ink);
  write(ctx, `q·k × ${format(view.scale, 3)}`, laid.scores, below, theme, { ...ink, align: "right" });
  write(ctx, fitted("softmax", laid.bars.width, theme), laid.bars.left, below, theme, ink);
}

function drawRow(ctx: Context, view: Products, laid: Layout, name: string, row: number, on: boolean, theme: Theme): void {
  const y = laid.top + (row + 0.5) * laid.step;
  const weight = view.weights.data[row]!;
  if (laid.step >= 9) {
    write(ctx, fitted(name, laid.names - 8, theme), laid.names - 6, y, theme, { colour: on ? theme.accent : theme.text, align: "right" });
    write(ctx, format(view.scores.data[row]!, 3), laid.scores, y, theme, { colour: theme.text, align: "right" });
  }
  if (laid.bars.width > 20) {
    ctx.fillStyle = theme.positive;
    const room = laid.bars.width - 40;
    const long = Math.max(1, room * Math.min(1, Math.max(0, weight)) || 0);
    ctx.fillRect(laid.bars.left, y - laid.step * 0.32, long, laid.step * 0.64);
    if (laid.step >= 9) write(ctx, format(weight, 2), laid.bars.left + long + 5, y, theme, { colour: theme.muted });
  }
  if (!on) return;
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(laid.keys.left, y - laid.step / 2, laid.products.left + laid.products.width - laid.keys.left, laid.step);
}

function hit(view: Products, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const laid = lay(view, box, theme);
  const row = Math.floor((y - laid.top) / laid.step);
  if (row < 0 || row >= view.names.length) return null;
  const size = view.query.data.length;
  const words = [{ text: `${view.at} looks at ${view.names[row]}: ${format(view.weights.data[row]!, 3)}` }];
  const strip = [laid.keys, laid.products].find(({ left, width }) => x >= left && x < left + width);
  if (strip) {
    const number = Math.floor(((x - strip.left) / strip.width) * size);
    const [q, k] = [view.query.data[number]!, view.keys.data[row * size + number]!];
    words.push({ text: `number ${number}: ${format(q, 3)} × ${format(k, 3)} = ${format(q * k, 3)}` });
  }
  return { index: view.places[row] ?? row, words, pointed: pointAt(view.axes, view.row < 0 ? null : view.row, view.places[row] ?? null) };
}

function describe(view: Products): string {
  let top = -1;
  view.weights.data.forEach((weight, index) => {
    if (top < 0 || weight > view.weights.data[top]!) top = index;
  });
  const title = view.title || "Queries and keys";
  if (top < 0) return `${title}: nothing yet.`;
  return `${title}: ${view.at} looks most at ${view.names[top]}, ${format(view.weights.data[top]!, 3)}, as q·k × ${format(view.scale, 3)} = ${format(view.scores.data[top]!, 3)}.`;
}

export const products: Drawn<Products> = { shape: "wide", height: 360, draw, hit, describe, marks: true };
