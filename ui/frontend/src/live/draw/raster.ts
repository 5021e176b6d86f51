/** Arrays of numbers as bitmaps. */
import { pixels, type Rgb, type Scale } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import { span } from "./axis";

/** The ends of a colour scale. */
export type Range = [low: number, high: number];

/** The ends for values on a scale: symmetric about zero where the sign has a colour. */
export function range(values: ArrayLike<number>, scale: Scale): Range {
  const ends = span([values]);
  if (!ends) return scale === "signed" ? [-1, 1] : [0, 1];
  if (scale === "classes") return [0, 255];
  if (scale !== "signed") return ends[0] === ends[1] ? [ends[0] - (ends[0] ? 0 : 0.5), ends[1] + 0.5] : ends;
  const furthest = Math.max(-ends[0], ends[1], 1e-30);
  return [-furthest, furthest];
}

/** Where a value lies on a scale, 0 to 1. */
export function shareOf(value: number, [low, high]: Range): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

const bitmaps = new WeakMap<object, Map<string, HTMLCanvasElement>>();

interface Picture {
  values: ArrayLike<number> & object;
  rows: number;
  columns: number;
  /** Where in `values` it begins. */
  offset?: number;
  range: Range;
  scale: Scale;
  /** Whether row 0 is at the bottom. */
  upward?: boolean;
}

/** The bitmap of a picture, one pixel a number; made once for one array and theme. NaN is clear. */
export function bitmap(picture: Picture, theme: Theme): HTMLCanvasElement {
  const { values, offset = 0, range: ends, scale } = picture;
  const key = `${offset} ${ends} ${scale} ${theme.paper}`;
  let made = bitmaps.get(values);
  if (!made) bitmaps.set(values, (made = new Map()));
  let canvas = made.get(key);
  if (!canvas) {
    const table = pixels(scale, theme.dark, theme.background as Rgb);
    canvas = paint(picture, table);
    made.set(key, canvas);
  }
  return canvas;
}

function paint({ values, rows, columns, offset = 0, range: [low, high], upward }: Picture, table: Uint32Array): HTMLCanvasElement {
  const image = new ImageData(Math.max(1, columns), Math.max(1, rows));
  const target = new Uint32Array(image.data.buffer);
  const factor = 255 / (high - low);
  for (let row = 0; row < rows; row++) {
    const from = offset + (upward ? rows - 1 - row : row) * columns;
    for (let column = 0; column < columns; column++) {
      const level = (values[from + column]! - low) * factor;
      // A comparison with NaN is false: such pixels stay clear.
      if (level >= -1e9) target[row * columns + column] = table[level < 0 ? 0 : level > 255 ? 255 : Math.round(level)]!;
    }
  }
  return sheet(image);
}

/** A colour picture, `(rows, columns, 3)` in [0, 1]. */
export function colourBitmap(values: ArrayLike<number> & object, rows: number, columns: number, offset: number): HTMLCanvasElement {
  let made = bitmaps.get(values);
  if (!made) bitmaps.set(values, (made = new Map()));
  let canvas = made.get(`${offset}`);
  if (!canvas) {
    const image = new ImageData(Math.max(1, columns), Math.max(1, rows));
    for (let index = 0; index < rows * columns; index++) {
      for (let channel = 0; channel < 3; channel++) image.data[index * 4 + channel] = 255 * values[offset + index * 3 + channel]!;
      image.data[index * 4 + 3] = 255;
    }
    made.set(`${offset}`, (canvas = sheet(image)));
  }
  return canvas;
}

function sheet(image: ImageData): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}
