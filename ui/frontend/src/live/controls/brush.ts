/** Drawing by hand as numbers: soft strokes like those of written digits. */

/** A grey picture, rows one after the other, each pixel in [0, 1]. */
export interface Picture {
  rows: number;
  columns: number;
  data: Float32Array;
}

/** Fraction of the side that MNIST's digits fill: 20 of 28 pixels. */
const FILLED = 20 / 28;

export function blank(rows: number, columns: number): Picture {
  return { rows, columns, data: new Float32Array(rows * columns) };
}

/** Half the width of a stroke [pixels of the picture]; on small pictures a stroke is thinner. */
export function brushRadius({ rows, columns }: Picture): number {
  return Math.max(0.65, Math.min(rows, columns) * 0.042);
}

/**
 * Draws a stroke from one place to another, in pixels from the top left corner.
 *
 * A pixel is as dark as the stroke's edge is near: full inside, fading over one pixel. The darker
 * of old and new stays, so that crossing a line does not change it.
 */
export function stroke(picture: Picture, x1: number, y1: number, x2: number, y2: number): void {
  const { rows, columns, data } = picture;
  const radius = brushRadius(picture);
  const [dx, dy] = [x2 - x1, y2 - y1];
  const squared = dx * dx + dy * dy;
  const reach = radius + 1;
  const first = Math.max(0, Math.floor(Math.min(y1, y2) - reach));
  const last = Math.min(rows - 1, Math.ceil(Math.max(y1, y2) + reach));
  for (let row = first; row <= last; row++) {
    for (let column = 0; column < columns; column++) {
      const [x, y] = [column + 0.5, row + 0.5];
      const along = squared ? Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / squared)) : 0;
      const distance = Math.hypot(x - x1 - along * dx, y - y1 - along * dy);
      const ink = Math.min(1, Math.max(0, radius + 0.5 - distance));
      const at = row * columns + column;
      if (ink > data[at]!) data[at] = ink;
    }
  }
}

/** Whether nothing has been drawn. */
export function empty({ data }: Picture): boolean {
  return data.every((ink) => ink === 0);
}

/**
 * The picture as the data set's makers prepared theirs: the digit scaled to fit 20 of 28 pixels
 * and its centre of mass in the middle. On pictures under 20 pixels only the centre is moved.
 *
 * Source: LeCun, Cortes, Burges (1998), The MNIST database of handwritten digits.
 */
export function centred(picture: Picture): Picture {
  const { rows, columns } = picture;
  const ends = bounds(picture);
  if (!ends) return picture;
  const [top, bottom, left, right] = ends;
  const side = Math.max(bottom - top, right - left);
  const scale = Math.min(rows, columns) < 20 ? 1 : (FILLED * Math.min(rows, columns)) / side;
  const [row, column] = mass(picture);
  const made = blank(rows, columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const at = [(y + 0.5 - rows / 2) / scale + row, (x + 0.5 - columns / 2) / scale + column] as const;
      made.data[y * columns + x] = sample(picture, at[0] - 0.5, at[1] - 0.5);
    }
  }
  return made;
}

/** The rows and columns that the ink takes up, ends excluded, or null. */
function bounds({ rows, columns, data }: Picture): [top: number, bottom: number, left: number, right: number] | null {
  let [top, bottom, left, right] = [rows, -1, columns, -1];
  data.forEach((ink, index) => {
    if (ink < 0.1) return;
    const [row, column] = [Math.floor(index / columns), index % columns];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  });
  return bottom < 0 ? null : [top, bottom + 1, left, right + 1];
}

/** The centre of mass of the ink, in pixels from the top left corner. */
function mass({ columns, data }: Picture): [row: number, column: number] {
  let [total, down, across] = [0, 0, 0];
  data.forEach((ink, index) => {
    total += ink;
    down += ink * (Math.floor(index / columns) + 0.5);
    across += ink * ((index % columns) + 0.5);
  });
  return [down / total, across / total];
}

/** The ink between four pixels. */
function sample({ rows, columns, data }: Picture, y: number, x: number): number {
  const [row, column] = [Math.floor(y), Math.floor(x)];
  const [down, across] = [y - row, x - column];
  const at = (r: number, c: number): number => (r < 0 || c < 0 || r >= rows || c >= columns ? 0 : data[r * columns + c]!);
  return (
    (1 - down) * ((1 - across) * at(row, column) + across * at(row, column + 1))
    + down * ((1 - across) * at(row + 1, column) + across * at(row + 1, column + 1))
  );
}
