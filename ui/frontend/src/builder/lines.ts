/** The course of a wire, and where its shape is written. */
import { getBezierPath, getSmoothStepPath, Position } from "@xyflow/react";
import type { Direction, Point, Route } from "./layout";

export interface Line {
  readonly path: string;
  /** Where the shape and the button stand. */
  readonly label: Point;
}

const CORNER = 14;

export function line(from: Point, to: Point, direction: Direction, route: Route | undefined): Line {
  if (route?.kind === "lane") return lane([from, ...route.points, to], direction);
  if (route?.kind === "fold") return corners([from, ...route.points, to]);
  const across = direction === "right";
  const ends = {
    sourceX: from[0],
    sourceY: from[1],
    targetX: to[0],
    targetY: to[1],
    sourcePosition: across ? Position.Right : Position.Bottom,
    targetPosition: across ? Position.Left : Position.Top,
  };
  const backwards = across ? to[0] < from[0] + 20 : to[1] < from[1] + 20;
  const [path, x, y] = backwards ? getSmoothStepPath({ ...ends, borderRadius: CORNER, offset: 28 }) : getBezierPath(ends);
  return { path, label: [x, y] };
}

/** Through all points, level at each: a lane that keeps clear of the cards it passes. */
function lane(points: readonly Point[], direction: Direction): Line {
  let path = `M${points[0]}`;
  points.slice(1).forEach(([x, y], at) => {
    const [fromX, fromY] = points[at] as Point;
    const [midX, midY] = [(fromX + x) / 2, (fromY + y) / 2];
    path += direction === "right" ? ` C${midX},${fromY} ${midX},${y} ${x},${y}` : ` C${fromX},${midY} ${x},${midY} ${x},${y}`;
  });
  return { path, label: points[Math.floor(points.length / 2)] as Point };
}

/** Straight pieces with rounded corners; the label stands on the longest. */
function corners(points: readonly Point[]): Line {
  let path = `M${points[0]}`;
  let label = points[0] as Point;
  let longest = 0;
  points.slice(1).forEach((to, at) => {
    const from = points[at] as Point;
    const next = points[at + 2];
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length > longest) {
      longest = length;
      label = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
    }
    if (!next) {
      path += ` L${to}`;
      return;
    }
    const after = Math.hypot(next[0] - to[0], next[1] - to[1]);
    const radius = Math.min(CORNER, length / 2, after / 2);
    path += ` L${towards(to, from, radius, length)} Q${to} ${towards(to, next, radius, after)}`;
  });
  return { path, label };
}

function towards([x, y]: Point, [toX, toY]: Point, distance: number, length: number): Point {
  if (length === 0) return [x, y];
  return [x + ((toX - x) * distance) / length, y + ((toY - y) * distance) / length];
}
