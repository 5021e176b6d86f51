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

/** The edge of a cell [px], so that all of them fit and single ones can be hit. */
export function cellSize({ values }: Weights, width: number, height: number): number {
  const rows = Math.max(1, values.length);
  const columns = Math.max(1, values[0]?.length ?? 1);
  const size = Math.min(width / columns, height / rows, 28);
  return size >= 3 ? Math.floor(size) : Math.max(0.5, size);
}

export function draw(context: CanvasRenderingContext2D, weights: Weights, size: number, at: Cell | undefined, theme: Theme): void {
  const most = Math.max(Math.abs(weights.low), Math.abs(weights.high), 1e-12);
  const gap = size >= 6 ? 1 : 0;
  weights.values.forEach((line, row) =>
    line.forEach((value, column) => {
      context.fillStyle = css(colourAt("signed", 0.5 + value / most / 2, theme.dark, theme.background));
      context.fillRect(column * size, row * size, size - gap, size - gap);
    }),
  );
  drawTiles(context, weights, size, theme.text);
  context.strokeStyle = theme.text;
  context.lineWidth = 1;
  for (const [row, column] of weights.cut) drawCross(context, column * size, row * size, size - gap);
  if (!at) return;
  context.strokeStyle = theme.accent;
  context.lineWidth = 2;
  context.strokeRect(at.column * size, at.row * size, Math.max(size - gap, 3), Math.max(size - gap, 3));
}

/** Thin lines between the filters of a convolution. */
function drawTiles(context: CanvasRenderingContext2D, { tile: [h, w], step, values, top, left }: Weights, size: number, colour: string): void {
  if ((h === 1 && w === 1) || step[0] !== 1 || step[1] !== 1) return;
  const rows = values.length;
  const columns = values[0]?.length ?? 0;
  context.save();
  context.globalAlpha = 0.35;
  context.fillStyle = colour;
  for (let row = (h - (top % h)) % h || h; row < rows && h > 1; row += h) context.fillRect(0, row * size - 1, columns * size, 1);
  for (let column = (w - (left % w)) % w || w; column < columns && w > 1; column += w) context.fillRect(column * size - 1, 0, 1, rows * size);
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
