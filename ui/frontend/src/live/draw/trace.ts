/** Lines through many points. */
import type { Context } from "./canvas";

/**
 * Strokes a line through `(X(x), Y(y))`, with a gap where either is not a number.
 *
 * Where several points share a pixel column only the first, lowest, highest and last are drawn:
 * the picture is the same, and a hundred thousand points cost what a thousand do.
 */
export function trace(
  ctx: Context, xs: ArrayLike<number>, ys: ArrayLike<number>, X: (value: number) => number, Y: (value: number) => number,
): void {
  const count = Math.min(xs.length, ys.length);
  ctx.beginPath();
  let drawing = false;
  let column = Number.NaN;
  let low = 0;
  let high = 0;
  let last = 0;
  const flush = (): void => {
    if (Number.isNaN(column)) return;
    if (high !== low) {
      ctx.lineTo(column, low);
      ctx.lineTo(column, high);
    }
    ctx.lineTo(column, last);
    column = Number.NaN;
  };
  const dense = count > 1500;
  for (let index = 0; index < count; index++) {
    const x = X(xs[index]!);
    const y = Y(ys[index]!);
    if (x - x !== 0 || y - y !== 0) {
      flush();
      drawing = false;
      continue;
    }
    if (!drawing) {
      ctx.moveTo(x, y);
      drawing = true;
    } else if (!dense) {
      ctx.lineTo(x, y);
    } else if (Math.round(x) === column) {
      low = Math.min(low, y);
      high = Math.max(high, y);
      last = y;
    } else {
      flush();
      column = Math.round(x);
      low = high = last = y;
    }
  }
  flush();
  ctx.stroke();
}

/** A line through points `(n, 2)`, row after row. */
export function tracePairs(
  ctx: Context, points: ArrayLike<number>, width: number, X: (value: number) => number, Y: (value: number) => number,
): void {
  const count = Math.floor(points.length / width);
  const xs = new Float32Array(count);
  const ys = new Float32Array(count);
  for (let index = 0; index < count; index++) {
    xs[index] = points[index * width]!;
    ys[index] = points[index * width + 1]!;
  }
  trace(ctx, xs, ys, X, Y);
}
