/** Who looks at whom: lines between two columns of tokens, or a matrix of cells. */
import { format } from "../../shared/numbers";
import type { Theme } from "../../shared/theme";
import type { Attention } from "../data";
import { bare, fitted, line, placeholder, widest, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { bitmap, range, type Range } from "../draw/raster";
import type { Drawn, Hit, Look } from "./kind";
import { cellOf, pointAt } from "./pointing";

const NAME_ROOM = 96;
const LEAST_NAME = 8; // lower rows have no names [px]
const FAINT = 0.01; // of the strongest weight; weaker lines are not drawn
const MOST_LINES = 4000;

interface Cell {
  row: number | null;
  column: number | null;
}

function sizes(view: Attention): [rows: number, columns: number] {
  return [view.rows.length, view.columns.length];
}

/** What is marked: what the pointer is at, else the row that was picked. */
function marked(view: Attention, look: Look): Cell {
  const found = cellOf(look.pointed, view.axes);
  if (found.row !== null || found.column !== null) return found;
  return { row: view.place >= 0 ? view.place : null, column: null };
}

// ---- a matrix

function areaOf(view: Attention, box: Box, theme: Theme): Rectangle {
  const [rows, columns] = sizes(view);
  const small = bare(box);
  const left = small ? 0 : Math.min(NAME_ROOM, widest(view.rows, theme)) + 8;
  const top = small ? 0 : Math.min(NAME_ROOM * 0.7, Math.max(theme.size, widest(view.columns, theme))) + 8;
  const width = Math.max(10, box.width - left - 3);
  const height = Math.max(10, box.height - top - 3);
  const cell = Math.min(width / columns, height / rows);
  return { left: left + (width - cell * columns) / 2, top, width: cell * columns, height: cell * rows };
}

const reaches = new WeakMap<object, Range>();

/** The ends of the colours: the first place of a text looks at itself with all it has; a few such cells shall not darken the others. */
function reach(view: Attention): Range {
  const { data } = view.weights;
  let found = reaches.get(data);
  if (!found) {
    const sizes = Float32Array.from(data.filter((weight) => Number.isFinite(weight) && weight !== 0), Math.abs).sort();
    const high = sizes[Math.floor(0.99 * (sizes.length - 1))] ?? 1;
    found = view.scale === "signed" ? [-high, high] : sizes.length ? [0, high] : range(data, view.scale);
    reaches.set(data, found);
  }
  return found;
}

function drawMatrix(ctx: Context, view: Attention, box: Box, theme: Theme, look: Look): void {
  const [rows, columns] = sizes(view);
  const area = areaOf(view, box, theme);
  const cell = area.width / columns;
  const ends = reach(view);
  ctx.imageSmoothingEnabled = cell < 1;
  ctx.drawImage(bitmap({ values: view.weights.data, rows, columns, range: ends, scale: view.scale }, theme), area.left, area.top, area.width, area.height);
  ctx.strokeStyle = theme.faint;
  ctx.lineWidth = 1;
  ctx.strokeRect(area.left, area.top, area.width, area.height);
  const { row, column } = marked(view, look);
  ctx.strokeStyle = theme.accent;
  ctx.lineWidth = 2;
  if (row !== null) ctx.strokeRect(area.left, area.top + row * cell, area.width, cell);
  if (column !== null) ctx.strokeRect(area.left + column * cell, area.top, cell, area.height);
  if (!bare(box)) drawNames(ctx, view, area, cell, { row, column }, theme);
}

/** Names where there is room for them; those that are marked always. */
function drawNames(ctx: Context, view: Attention, area: Rectangle, cell: number, at: Cell, theme: Theme): void {
  const every = Math.max(1, Math.ceil((theme.size + 2) / cell));
  view.rows.forEach((name, row) => {
    const on = row === at.row;
    if (row % every && !on || at.row !== null && !on && Math.abs(row - at.row) < every) return;
    const y = area.top + (row + 0.5) * cell;
    write(ctx, fitted(name, area.left - 8, theme), area.left - 6, y, theme, { colour: on ? theme.text : theme.muted, align: "right" });
  });
  view.columns.forEach((name, column) => {
    const on = column === at.column;
    if (column % every && !on || at.column !== null && !on && Math.abs(column - at.column) < every) return;
    ctx.save();
    ctx.translate(area.left + (column + 0.5) * cell, area.top - 5);
    ctx.rotate(-Math.PI / 2);
    write(ctx, fitted(name, area.top - 8, theme), 0, 0, theme, { colour: on ? theme.text : theme.muted });
    ctx.restore();
  });
}

function cellAt(view: Attention, box: Box, x: number, y: number, theme: Theme): Cell {
  const [rows, columns] = sizes(view);
  const area = areaOf(view, box, theme);
  const row = Math.floor(((y - area.top) / area.height) * rows);
  const column = Math.floor(((x - area.left) / area.width) * columns);
  const inside = row >= 0 && row < rows && column < columns && (column >= 0 || x >= area.left - NAME_ROOM);
  return inside ? { row, column: column >= 0 ? column : null } : { row: null, column: null };
}

// ---- lines

interface Columns {
  left: number;
  right: number;
  /** Height of a token [px]. */
  from: number;
  to: number;
}

function columnsOf(view: Attention, box: Box, theme: Theme): Columns {
  const [rows, columns] = sizes(view);
  const room = box.width * 0.32;
  const left = Math.min(room, widest(view.rows, theme) + 14);
  const right = box.width - Math.min(room, widest(view.columns, theme) + 14);
  return { left, right, from: Math.min(26, box.height / rows), to: Math.min(26, box.height / columns) };
}

function drawLines(ctx: Context, view: Attention, box: Box, theme: Theme, look: Look): void {
  const [rows, columns] = sizes(view);
  const laid = columnsOf(view, box, theme);
  const at = marked(view, look);
  const { data } = view.weights;
  const maxima = rowMaxima(view);
  const most = Math.max(1e-12, at.row === null ? Math.max(...maxima) : maxima[at.row]!);
  const all = rows * columns <= MOST_LINES;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const weight = data[row * columns + column]!;
      const share = Math.min(1, Math.abs(weight) / most);
      if (!(share > FAINT)) continue;
      const strong = at.row === null ? at.column === null || at.column === column : at.row === row;
      if (!strong && !all) continue;
      ctx.globalAlpha = strong ? 0.08 + 0.92 * share : 0.12 * share;
      ctx.strokeStyle = weight < 0 ? theme.negative : theme.positive;
      ctx.lineWidth = strong ? theme.line * (0.6 + 1.6 * share) : theme.line * 0.7;
      line(ctx, laid.left, (row + 0.5) * laid.from, laid.right, (column + 0.5) * laid.to);
    }
  }
  ctx.globalAlpha = 1;
  drawColumn(ctx, view.rows, laid.from, at.row, (name, y, colour) => write(ctx, fitted(name, laid.left - 10, theme), laid.left - 6, y, theme, { colour, align: "right" }), theme);
  drawColumn(ctx, view.columns, laid.to, at.column, (name, y, colour) => write(ctx, fitted(name, box.width - laid.right - 10, theme), laid.right + 6, y, theme, { colour }), theme);
}

function rowMaxima(view: Attention): number[] {
  const [rows, columns] = sizes(view);
  const found: number[] = [];
  for (let row = 0; row < rows; row++) {
    let most = 0;
    for (let column = 0; column < columns; column++) most = Math.max(most, Math.abs(view.weights.data[row * columns + column]!) || 0);
    found.push(most);
  }
  return found;
}

function drawColumn(
  _: Context, names: string[], height: number, at: number | null, put: (name: string, y: number, colour: string) => void, theme: Theme,
): void {
  const every = Math.max(1, Math.ceil(Math.max(LEAST_NAME, theme.size) / height));
  names.forEach((name, index) => {
    const on = index === at;
    if (index % every && !on || at !== null && !on && Math.abs(index - at) < every) return;
    put(name, (index + 0.5) * height, on ? theme.accent : theme.muted);
  });
}

function lineAt(view: Attention, box: Box, x: number, y: number, theme: Theme): Cell {
  const [rows, columns] = sizes(view);
  const laid = columnsOf(view, box, theme);
  const row = Math.floor(y / laid.from);
  const column = Math.floor(y / laid.to);
  if (x < (laid.left + laid.right) / 2) return { row: row < rows ? row : null, column: null };
  return { row: null, column: column < columns ? column : null };
}

// ---- both

function draw(ctx: Context, view: Attention, box: Box, theme: Theme, look: Look): void {
  if (!view.rows.length || !view.columns.length) return placeholder(ctx, box, theme);
  (view.drawn === "lines" ? drawLines : drawMatrix)(ctx, view, box, theme, look);
}

function hit(view: Attention, box: Box, x: number, y: number, theme: Theme): Hit | null {
  if (!view.rows.length || !view.columns.length) return null;
  const { row, column } = (view.drawn === "lines" ? lineAt : cellAt)(view, box, x, y, theme);
  if (row === null && column === null) return null;
  const pointed = pointAt(view.axes, row, column);
  const index = row ?? undefined;
  return { words: said(view, row, column), pointed, ...(index !== undefined && { index }) };
}

function said(view: Attention, row: number | null, column: number | null): Hit["words"] {
  const count = view.columns.length;
  const { data } = view.weights;
  if (row !== null && column !== null) {
    return [{ text: `${view.rows[row]} looks at ${view.columns[column]}` }, { text: format(data[row * count + column]!, 3) }];
  }
  if (row === null) return [{ text: `looked at: ${view.columns[column!]}` }];
  const order = view.columns.map((name, index) => ({ name, weight: data[row * count + index]! })).filter(({ weight }) => Number.isFinite(weight));
  const top = order.sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight)).slice(0, 3);
  return [{ text: `${view.rows[row]} looks at` }, ...top.map(({ name, weight }) => ({ text: `${format(weight, 2)}  ${name}` }))];
}

function describe(view: Attention): string {
  const [rows, columns] = sizes(view);
  const title = view.title || "Attention";
  let best = -1;
  view.weights.data.forEach((weight, index) => {
    if (best < 0 || Math.abs(weight) > Math.abs(view.weights.data[best]!)) best = index;
  });
  if (best < 0 || !columns) return `${title}: nothing yet.`;
  const [row, column] = [Math.floor(best / columns), best % columns];
  return `${title}, ${rows} by ${columns} places: ${view.rows[row]} looks most at ${view.columns[column]}, ${format(view.weights.data[best]!, 3)}.`;
}

export const attention: Drawn<Attention> = { shape: "picture", height: 340, draw, hit, describe, marks: true };
