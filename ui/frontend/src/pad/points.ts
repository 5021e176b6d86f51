/** Points of the plane in classes, and the strokes that made them; pure, so that it can be tested. */

/** x, y and the number of the class. */
export type Point = readonly [x: number, y: number, label: number];

/** The plane goes from -REACH to REACH either way, as that of the data sets that are made. */
export const REACH = 1.5;
/** More points would only make the page slow. */
export const MOST = 5000;

export interface Brush {
  label: number;
  /** Points a dab. */
  count: number;
  /** How far points stray from the middle of a dab: standard deviation, in units of the plane. */
  spread: number;
}

/** What there is, and what there was before each stroke. */
export interface Drawn {
  points: readonly Point[];
  before: readonly (readonly Point[])[];
}

export const nothing: Drawn = { points: [], before: [] };
const REMEMBERED = 100;

/** Begins a stroke: what stands now can be had back. */
export function begin(drawn: Drawn): Drawn {
  return { points: drawn.points, before: [...drawn.before.slice(-REMEMBERED + 1), drawn.points] };
}

/** A dab of the brush: points around a place, none outside of the plane. */
export function dab(drawn: Drawn, x: number, y: number, brush: Brush, random: () => number = Math.random): Drawn {
  const room = Math.max(0, MOST - drawn.points.length);
  const made = Array.from({ length: Math.min(brush.count, room) }, (): Point => {
    const [dx, dy] = bell(random);
    return [round(inside(x + brush.spread * dx)), round(inside(y + brush.spread * dy)), brush.label];
  });
  return { ...drawn, points: [...drawn.points, ...made] };
}

/** Takes away the points within `radius` of a place. */
export function erase(drawn: Drawn, x: number, y: number, radius: number): Drawn {
  const points = drawn.points.filter(([px, py]) => Math.hypot(px - x, py - y) > radius);
  return points.length === drawn.points.length ? drawn : { ...drawn, points };
}

/** What stood before the last stroke. */
export function undo(drawn: Drawn): Drawn {
  const last = drawn.before.at(-1);
  return last === undefined ? drawn : { points: last, before: drawn.before.slice(0, -1) };
}

/** Other points; those that stood can be had back. */
export function replaced(drawn: Drawn, points: readonly Point[]): Drawn {
  return { ...begin(drawn), points: points.slice(0, MOST) };
}

/** How many points each of `classes` classes has. */
export function counts(points: readonly Point[], classes: number): number[] {
  const found = new Array<number>(classes).fill(0);
  for (const [, , label] of points) found[label] = (found[label] ?? 0) + 1;
  return found;
}

/** Why one cannot learn from these points yet, or nothing. */
export function missing(points: readonly Point[], names: readonly string[]): string {
  const there = counts(points, names.length).filter((count) => count > 0).length;
  if (points.length < 10) return `Draw at least ${10 - points.length} more points.`;
  return there < 2 ? "Choose another class and draw some of it, too." : "";
}

/** Two independent numbers of a bell of spread 1. Source: Box, Muller (1958). */
function bell(random: () => number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  const angle = 2 * Math.PI * random();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

function inside(value: number): number {
  return Math.min(REACH, Math.max(-REACH, value));
}

/** Four digits: finer than a pixel. */
function round(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
