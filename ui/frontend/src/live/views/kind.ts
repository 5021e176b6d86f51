/** What a kind of view must be able to do to stand on the stage. */
import { format } from "../../shared/numbers";
import type { Theme } from "../../shared/theme";
import { span } from "../draw/axis";
import type { Box, Context } from "../draw/canvas";

/** How one panel is looked at; the picture itself does not change by it. */
export interface Look {
  /** Where the pointer is [px], if it is over the picture. */
  hover: [x: number, y: number] | null;
  /** Turn of a surface about the vertical, and its tilt [rad]. */
  yaw: number;
  pitch: number;
  /** Number of the thing that a `Pick` control has chosen. */
  picked: number | null;
  /** The point that a `Place` control has chosen. */
  place: [x: number, y: number] | null;
  /** What is pointed at in this view or another one. */
  pointed: Pointed | null;
}

/** A place of a row of tokens that looks, and one that is looked at. */
export interface Pointed {
  looking?: [row: string, place: number];
  lookedAt?: [row: string, place: number];
}

/** What stands under the pointer. */
export interface Hit {
  /** Lines for the read-out, each with the colour of what it speaks of. */
  words: { text: string; colour?: string }[];
  /** Number of the thing, for `Pick`. */
  index?: number;
  /** The point of the plane, for `Place`. */
  place?: [x: number, y: number];
  /** The tokens, for other views to mark. */
  pointed?: Pointed;
}

/** How much room a kind wants: a picture a cell of the grid, a wide picture or a strip (never the main one) a whole row, words a cell or less. */
export type Shape = "picture" | "wide" | "strip" | "words";

interface Common<V> {
  shape: Shape | ((view: V) => Shape);
  /** The least height of its panel [px]. */
  height: number | ((view: V) => number);
  /** One sentence, with the numbers that matter. */
  describe(view: V): string;
}

/** A kind drawn on a canvas. */
export interface Drawn<V> extends Common<V> {
  draw(ctx: Context, view: V, box: Box, theme: Theme, look: Look): void;
  hit?(view: V, box: Box, x: number, y: number, theme: Theme): Hit | null;
  /** Turns the picture by a drag [px]. */
  turn?(look: Look, dx: number, dy: number): void;
  /** The number of the thing beside another one, for arrow keys; by default the next in the row. */
  beside?(view: V, index: number, across: number, down: number): number;
  /** Whether it marks what is pointed at in other views. */
  marks?: boolean;
  /** A button beside the title. */
  action?: { label: string; run(view: V): void };
}

/** A kind made of elements. */
export interface Built<V> extends Common<V> {
  build(host: HTMLElement, view: V): void;
}

export type Kind<V> = Drawn<V> | Built<V>;

export function look(): Look {
  return { hover: null, yaw: -0.6, pitch: 0.55, picked: null, place: null, pointed: null };
}

/** From where to where values go, in words. */
export function spanWords(values: ArrayLike<number>): string {
  const ends = span([values]);
  return ends ? `${format(ends[0])} to ${format(ends[1])}` : "no finite values";
}

/** `(x, y)` in words. */
export function placeWords(x: number, y: number): string {
  return `(${format(x)}, ${format(y)})`;
}

/** Number of the largest value, or -1 where none is finite. */
export function largest(values: ArrayLike<number>, size: (value: number) => number = (value) => value): number {
  let best = -1;
  for (let index = 0; index < values.length; index++) {
    const value = size(values[index]!);
    if (Number.isFinite(value) && (best < 0 || value > size(values[best]!))) best = index;
  }
  return best;
}
