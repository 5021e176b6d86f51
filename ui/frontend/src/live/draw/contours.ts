/** Lines of equal height. */
import type { Numbers } from "../data";
import { span } from "./axis";

/** Segments of one height: x1, y1, x2, y2 in cells, row 0 first, one after the other. */
export interface Contour {
  level: number;
  segments: Float32Array;
}

const made = new WeakMap<object, Contour[]>();
const LEVELS = 10;

/**
 * Contours of a field, made once for one array.
 *
 * Heights are even in the square root of the distance from the lowest value: a bowl then has
 * rings at even distances, and a valley's floor is not left blank. With a sign, heights are even
 * about zero, and zero is one of them.
 */
export function contours(values: Numbers, signed: boolean): Contour[] {
  let found = made.get(values.data);
  if (!found) {
    found = levels(values, signed).map((level) => ({ level, segments: march(values, level) }));
    made.set(values.data, found);
  }
  return found;
}

function levels({ data }: Numbers, signed: boolean): number[] {
  const ends = span([data]);
  if (!ends || ends[0] === ends[1]) return [];
  if (signed) {
    const furthest = Math.max(-ends[0], ends[1]);
    return Array.from({ length: 9 }, (_, index) => ((index - 4) / 5) * furthest);
  }
  // The very lowest would run between two of the 255 levels that a field arrives in, and be jagged.
  return Array.from({ length: LEVELS }, (_, index) => ends[0] + ((index + 2) / (LEVELS + 2)) ** 2 * (ends[1] - ends[0]));
}

/** Marching squares: each cell's corners above or below the level give at most two segments. */
function march({ shape, data }: Numbers, level: number): Float32Array {
  const [rows, columns] = [shape[0] ?? 0, shape[1] ?? 0];
  const stride = Math.max(1, Math.round(Math.max(rows, columns) / 160));
  const segments: number[] = [];
  for (let row = 0; row + stride < rows; row += stride) {
    for (let column = 0; column + stride < columns; column += stride) {
      const a = data[row * columns + column]!;
      const b = data[row * columns + column + stride]!;
      const c = data[(row + stride) * columns + column + stride]!;
      const d = data[(row + stride) * columns + column]!;
      const above = +(a >= level) + +(b >= level) + +(c >= level) + +(d >= level);
      if (above === 0 || above === 4) continue; // as in most cells
      const crossings = cross([a, b, c, d], level);
      for (let index = 0; index + 3 < crossings.length; index += 4) {
        segments.push(
          column + crossings[index]! * stride, row + crossings[index + 1]! * stride,
          column + crossings[index + 2]! * stride, row + crossings[index + 3]! * stride,
        );
      }
    }
  }
  return Float32Array.from(segments);
}

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]] as const;

/** Where a level crosses the sides of the unit cell, in pairs of points. */
function cross(corners: readonly [number, number, number, number], level: number): number[] {
  const found: number[] = [];
  for (let side = 0; side < 4; side++) {
    const [from, to] = [corners[side]!, corners[(side + 1) % 4]!];
    if (from - from !== 0 || to - to !== 0) return [];
    if (from < level === to < level) continue;
    const share = (level - from) / (to - from);
    const [x1, y1] = CORNERS[side]!;
    const [x2, y2] = CORNERS[(side + 1) % 4]!;
    found.push(x1 + share * (x2 - x1), y1 + share * (y2 - y1));
  }
  return found;
}
