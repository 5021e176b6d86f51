/** Which part of the plane to look at. */
import type { Direction, Point, Size } from "./layout";

export interface View {
  readonly x: number;
  readonly y: number;
  readonly zoom: number;
}

const FRAME = 32; // [px] left free around the network
/** Smaller than this, cards cannot be read: then rather the beginning than all of it. */
const READABLE = { right: 0.42, down: 0.7 };

/** All of the network, or its beginning where all of it could not be read and `whole` is not asked. */
export function viewOf(places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>, canvas: Size, direction: Direction, whole: boolean): View {
  if (places.size === 0) return { x: 0, y: 0, zoom: 1 };
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [id, [x, y]] of places) {
    const { width, height } = sizes.get(id) as Size;
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + width), Math.max(bottom, y + height)];
  }
  const room = { width: canvas.width - 2 * FRAME, height: canvas.height - 2 * FRAME };
  const zoom = Math.max(0.05, Math.min(room.width / (right - left), room.height / (bottom - top), 1));
  const centred = (low: number, high: number, length: number, scale: number): number => length / 2 - ((low + high) / 2) * scale;
  if (whole || zoom >= READABLE[direction])
    return { x: centred(left, right, canvas.width, zoom), y: centred(top, bottom, canvas.height, zoom), zoom };
  const readable = direction === "right" ? 0.7 : 0.9;
  const fits = (length: number, available: number): boolean => length * readable <= available;
  return {
    x: fits(right - left, room.width) ? centred(left, right, canvas.width, readable) : FRAME - startOf(places, sizes, direction, 0, left) * readable,
    y: fits(bottom - top, room.height) ? centred(top, bottom, canvas.height, readable) : FRAME - startOf(places, sizes, direction, 1, top) * readable,
    zoom: readable,
  };
}

/** Where the first card begins along an axis, so that it is in sight. */
function startOf(places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>, direction: Direction, axis: 0 | 1, least: number): number {
  const along = direction === "right" ? 0 : 1;
  if (axis === along) return least;
  const first = [...places].reduce((best, here) => (here[1][along] < best[1][along] ? here : best));
  const size = sizes.get(first[0]) as Size;
  return Math.max(least, first[1][axis] - (axis === 0 ? size.width : size.height) / 4);
}
