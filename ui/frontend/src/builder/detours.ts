/** Ways around the cards where no layout has kept a lane free: after somebody has moved a node. */
import type { Direction, Point, Route, Size } from "./layout";
import { links, type Spec } from "./spec";

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const CLEAR = 14; // [px] a line keeps off cards
const MARGIN = 30; // [px] how far a line runs out before it turns
const GAP = 42; // [px] half the room between two rows

/** Routes for wires that run back or would run under cards; the others need none. */
export function detours(spec: Spec, places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>, direction: Direction): Map<number, Route> {
  const routes = new Map<number, Route>();
  if (direction === "down") return routes;
  const boxes = new Map(spec.nodes.map(({ id }) => [id, boxOf(places.get(id), sizes.get(id))]));
  for (const { index, source, target } of links(spec)) {
    const [from, to] = [boxes.get(source), boxes.get(target)];
    if (!from || !to) continue;
    const others = [...boxes].filter(([id]) => id !== source && id !== target).map(([, box]) => box);
    const route = to.left < from.right + 20 ? back(from, to, others) : around(from, to, others);
    if (route) routes.set(index, route);
  }
  return routes;
}

function boxOf(place: Point | undefined, size: Size | undefined): Box {
  const [left, top] = place ?? [0, 0];
  return { left, top, right: left + (size?.width ?? 0), bottom: top + (size?.height ?? 0) };
}

/** Out to the right, along a free strip, back to the left. */
function back(from: Box, to: Box, others: readonly Box[]): Route | undefined {
  const [right, left] = [from.right + MARGIN, to.left - MARGIN];
  const [low, high] = [Math.min(left, right), Math.max(left, right)];
  const strips = [to.top - GAP, (from.bottom + to.top) / 2, from.bottom + GAP, from.top - GAP, to.bottom + GAP];
  const y = strips.find((strip) => [...others, from, to].every((box) => clear(box, low, high, strip)));
  if (y === undefined) return undefined;
  return { kind: "fold", points: [[right, middle(from)], [right, y], [left, y], [left, middle(to)]] };
}

/** Above or below the cards that stand in the way. */
function around(from: Box, to: Box, others: readonly Box[]): Route | undefined {
  const slope = (middle(to) - middle(from)) / Math.max(1, to.left - from.right);
  const inTheWay = others.filter((box) => {
    if (box.right < from.right || box.left > to.left) return false;
    const y = middle(from) + slope * ((box.left + box.right) / 2 - from.right);
    return box.top - CLEAR < y && y < box.bottom + CLEAR;
  });
  if (inTheWay.length === 0) return undefined;
  const left = Math.min(...inTheWay.map((box) => box.left)) - CLEAR;
  const right = Math.max(...inTheWay.map((box) => box.right)) + CLEAR;
  const lanes = [Math.min(...inTheWay.map((box) => box.top)) - 22, Math.max(...inTheWay.map((box) => box.bottom)) + 22];
  const between = others.filter((box) => !inTheWay.includes(box));
  const y = lanes.find((lane) => between.every((box) => clear(box, left, right, lane))) ?? (lanes[0] as number);
  return { kind: "lane", points: [[left, y], [(left + right) / 2, y], [right, y]] };
}

function clear(box: Box, left: number, right: number, y: number): boolean {
  return box.right + CLEAR < left || box.left - CLEAR > right || y < box.top - CLEAR || y > box.bottom + CLEAR;
}

function middle(box: Box): number {
  return (box.top + box.bottom) / 2;
}
