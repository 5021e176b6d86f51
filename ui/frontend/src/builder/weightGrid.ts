/** A weight as a matrix of cells: which number of the layer a cell is, and how it is drawn. */
import type { Weights } from "./api";
import { colourAt, css } from "../shared/palette";
import type { Theme } from "../shared/theme";

export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** The whole index of the number that a cell of the shown window is; `undefined` where a cell stands for several. */
export function indexOf(weights: Weights, { row, column }: Cell): readonly number[] | undefined {
  if (weights.step[0] !== 1 || weights.step[1] !== 1) return undefined;
  const [h, w] = weights.tile;
  const [R, C] = [weights.top + row, weights.left + column];
  const full = [Math.floor(R / h), Math.floor(C / w), R % h, C % w];
  if (weights.axes === 1) return [C];
  if (weights.axes === 2) return full.slice(0, 2);
  if (weights.axes === 3) return [full[0] as number, full[1] as number, full[3] as number];
  return full;
}

/** The connection that a number belongs to: from an input to an output, a whole kernel of a convolution. */
export function connectionOf(index: readonly number[]): readonly number[] {
  return index.slice(0, 2);
}

/** Whether a number is gone because its connection, or more, is cut. */
export function isCut(cuts: readonly (readonly number[])[] | undefined, index: readonly number[]): boolean {
  return (cuts ?? []).some((cut) => cut.every((part, at) => index[at] === part));
}

/** The window of the whole that a coarse cell stands for, as large as can be shown cell by cell around it. */
export function windowAt(weights: Weights, { row, column }: Cell, most = 64): readonly [number, number, number, number] {
  const [rows, columns] = weights.grid;
  const [height, width] = [Math.min(most, rows), Math.min(most, columns)];
  const centre = (at: number, step: number, first: number, size: number, all: number): number =>
    Math.max(0, Math.min(all - size, Math.round(first + (at + 0.5) * step - size / 2)));
  return [centre(row, weights.step[0], weights.top, height, rows), centre(column, weights.step[1], weights.left, width, columns), height, width];
}

/** How the cells stand on the canvas: a tall matrix is cut into strips side by side. */
export interface Fold {
  /** The edge of a cell [px]. */
  readonly size: number;
  /** Rows of a strip. */
  readonly per: number;
  readonly strips: number;
  readonly rows: number;
  readonly columns: number;
}

const LARGEST = 28; // [px] of a cell
const MOST_STRIPS = 40;

/** The fold that lets all cells fit and be largest. */
export function foldOf({ values, tile, step }: Weights, width: number, height: number): Fold {
  const rows = Math.max(1, values.length);
  const columns = Math.max(1, values[0]?.length ?? 1);
  const whole = step[0] === 1 ? tile[0] : 1;
  let best: Fold = { size: 0, per: rows, strips: 1, rows, columns };
  for (let strips = 1; strips <= Math.min(MOST_STRIPS, Math.ceil(rows / whole)); strips += 1) {
    const per = Math.ceil(rows / strips / whole) * whole;
    const size = Math.min(width / (strips * (columns + 1) - 1), height / per, LARGEST);
    // A little larger is not worth one more cut.
    if (size > best.size * 1.15) best = { ...best, size, per, strips: Math.ceil(rows / per) };
  }
  return { ...best, size: best.size >= 3 ? Math.floor(best.size) : Math.max(0.5, best.size) };
}

/** The width and height of all strips [px]. */
export function extentOf({ size, per, strips, columns }: Fold): readonly [number, number] {
  return [(strips * (columns + 1) - 1) * size, per * size];
}

/** The top left corner of a cell [px]. */
export function cornerOf({ size, per, columns }: Fold, { row, column }: Cell): readonly [number, number] {
  return [(Math.floor(row / per) * (columns + 1) + column) * size, (row % per) * size];
}

/** The cell at a point of the canvas [px], the nearest one beside it. */
export function cellAt({ size, per, strips, rows, columns }: Fold, x: number, y: number): Cell {
  const across = Math.max(0, Math.floor(x / size));
  const strip = Math.min(strips - 1, Math.floor(across / (columns + 1)));
  const column = Math.min(columns - 1, across - strip * (columns + 1));
  const row = strip * per + Math.max(0, Math.min(per - 1, Math.floor(y / size)));
  return { row: Math.min(rows - 1, row), column };
}

export function draw(context: CanvasRenderingContext2D, weights: Weights, fold: Fold, at: Cell | undefined, theme: Theme): void {
  const most = Math.max(Math.abs(weights.low), Math.abs(weights.high), 1e-12);
  const { size } = fold;
  const gap = size >= 6 ? 1 : 0;
  weights.values.forEach((line, row) =>
    line.forEach((value, column) => {
      const [x, y] = cornerOf(fold, { row, column });
      context.fillStyle = css(colourAt("signed", 0.5 + value / most / 2, theme.dark, theme.background));
      context.fillRect(x, y, size - gap, size - gap);
    }),
  );
  drawTiles(context, weights, fold, theme.text);
  context.strokeStyle = theme.text;
  context.lineWidth = 1;
  for (const [row, column] of weights.cut) drawCross(context, ...cornerOf(fold, { row, column }), size - gap);
  if (!at) return;
  context.strokeStyle = theme.accent;
  context.lineWidth = 2;
  context.strokeRect(...cornerOf(fold, at), Math.max(size - gap, 3), Math.max(size - gap, 3));
}

/** Thin lines between the filters of a convolution. */
function drawTiles(context: CanvasRenderingContext2D, { tile: [h, w], step, top, left }: Weights, fold: Fold, colour: string): void {
  if ((h === 1 && w === 1) || step[0] !== 1 || step[1] !== 1) return;
  const { size, rows, columns, per } = fold;
  context.save();
  context.globalAlpha = 0.35;
  context.fillStyle = colour;
  for (let row = 0; row < rows; row += 1) {
    const [x, y] = cornerOf(fold, { row, column: 0 });
    if (h > 1 && row % per > 0 && (top + row) % h === 0) context.fillRect(x, y - 1, columns * size, 1);
    for (let column = 1; column < columns && w > 1; column += 1) if ((left + column) % w === 0) context.fillRect(x + column * size - 1, y, 1, size);
  }
  context.restore();
}

function drawCross(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.beginPath();
  context.moveTo(x + 1, y + 1);
  context.lineTo(x + size - 1, y + size - 1);
  context.moveTo(x + size - 1, y + 1);
  context.lineTo(x + 1, y + size - 1);
  context.stroke();
}
