import { classColour, colourAt, css, mix, type Rgb } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Numbers, Surface } from "../data";
import { linearTicks } from "../draw/axis";
import { bare, dot, line, placeholder, write, type Box, type Context } from "../draw/canvas";
import { legend, type Entry } from "../draw/legend";
import { range, shareOf, type Range } from "../draw/raster";
import { tracePairs } from "../draw/trace";
import { placeWords, spanWords, type Drawn, type Look } from "./kind";

const MOST_CELLS = 56; // along one side: finer meshes cost more than they show
const HEIGHT = 0.62; // of the landscape, in lengths of its ground

/** From the unit cube, heights in [0, 1], to the canvas. */
interface Camera {
  /** Where a point appears [px]. */
  at(x: number, y: number, z: number): [number, number];
  /** How far away it is; only differences matter. */
  depth(x: number, y: number): number;
}

function camera(box: Box, look: Look): Camera {
  const [cos, sin] = [Math.cos(look.yaw), Math.sin(look.yaw)];
  const [rise, lean] = [Math.sin(look.pitch), Math.cos(look.pitch)];
  // The ground's diagonal always fits, so that turning does not make the picture pulse.
  const words = bare(box) ? 0 : 46;
  const scale = Math.min((box.width - 2 * words) / 1.42, (box.height - words) / (1.42 * rise + HEIGHT * lean));
  const across = (x: number, y: number): number => (x - 0.5) * cos - (y - 0.5) * sin;
  const depth = (x: number, y: number): number => (x - 0.5) * sin + (y - 0.5) * cos;
  return {
    at: (x, y, z) => [
      box.width / 2 + across(x, y) * scale,
      box.height / 2 - depth(x, y) * rise * scale - (z - 0.5) * HEIGHT * lean * scale,
    ],
    depth,
  };
}

function draw(ctx: Context, view: Surface, box: Box, theme: Theme, look: Look): void {
  const [rows, columns] = [view.values.shape[0] ?? 0, view.values.shape[1] ?? 0];
  if (rows < 2 || columns < 2) return placeholder(ctx, box, theme);
  const eye = camera(box, look);
  const ends = range(view.values.data, "sequential");
  if (!bare(box)) drawGround(ctx, view, eye, theme);
  drawMesh(ctx, view.values, eye, ends, theme);
  drawPaths(ctx, view, eye, ends, theme);
  if (bare(box)) return;
  drawHeights(ctx, view, eye, ends, theme);
  legend(ctx, entriesOf(view), 0, 0, box.width, theme);
}

function entriesOf(view: Surface): Entry[] {
  const names = Object.keys(view.paths);
  return names.length > 1 ? names.map((name, index) => ({ name, colour: classColour(index + 1, true) })) : [];
}

const CORNERS = [[0, 0], [1, 0], [1, 1], [0, 1]] as const;

function drawGround(ctx: Context, view: Surface, eye: Camera, theme: Theme): void {
  ctx.strokeStyle = theme.faint;
  ctx.lineWidth = 1;
  ctx.beginPath();
  CORNERS.forEach(([x, y]) => ctx.lineTo(...eye.at(x, y, 0)));
  ctx.closePath();
  ctx.stroke();
  const [left, right, bottom, top] = view.extent;
  // Labels stand along the two sides of the ground that face the visitor.
  const near = eye.depth(0.5, 0) < eye.depth(0.5, 1) ? 0 : 1;
  const side = eye.depth(0, 0.5) < eye.depth(1, 0.5) ? 0 : 1;
  const sign = (edge: number): number => (edge ? 1.07 : -0.07);
  for (const { value, label } of linearTicks(left, right, 4)) {
    const [x, y] = eye.at((value - left) / (right - left), sign(near), 0);
    write(ctx, label, x, y, theme, { colour: theme.muted, align: "center" });
  }
  for (const { value, label } of linearTicks(bottom, top, 4)) {
    const [x, y] = eye.at(sign(side), (value - bottom) / (top - bottom), 0);
    write(ctx, label, x, y, theme, { colour: theme.muted, align: "center" });
  }
  const far = (edge: number): number => (edge ? 1.2 : -0.2);
  write(ctx, view.xlabel, ...eye.at(0.5, far(near), 0), theme, { align: "center", colour: theme.muted });
  write(ctx, view.ylabel, ...eye.at(far(side), 0.5, 0), theme, { align: "center", colour: theme.muted });
}

/** Cells from far to near, each in one colour, lit from the upper left. */
function drawMesh(ctx: Context, { shape, data }: Numbers, eye: Camera, ends: Range, theme: Theme): void {
  const [rows, columns] = shape as [number, number];
  const stride = Math.max(1, Math.ceil(Math.max(rows, columns) / MOST_CELLS));
  const order = (count: number, towards: boolean): number[] => {
    const all = Array.from({ length: Math.ceil((count - 1) / stride) }, (_, index) => index * stride);
    return towards ? all : all.reverse();
  };
  const downs = order(rows, eye.depth(0, 1) < eye.depth(0, 0));
  const acrosses = order(columns, eye.depth(1, 0) < eye.depth(0, 0));
  const height = (row: number, column: number): number => shareOf(data[row * columns + column]!, ends);
  ctx.lineWidth = 0.5;
  ctx.lineJoin = "round";
  for (const row of downs) {
    const above = Math.min(rows - 1, row + stride);
    for (const column of acrosses) {
      const beside = Math.min(columns - 1, column + stride);
      const [a, b, c, d] = [height(row, column), height(row, beside), height(above, beside), height(above, column)];
      const middle = (a + b + c + d) / 4;
      if (middle - middle !== 0) continue;
      const [x1, x2, y1, y2] = [column / (columns - 1), beside / (columns - 1), row / (rows - 1), above / (rows - 1)];
      ctx.beginPath();
      ctx.moveTo(...eye.at(x1, y1, a));
      ctx.lineTo(...eye.at(x2, y1, b));
      ctx.lineTo(...eye.at(x2, y2, c));
      ctx.lineTo(...eye.at(x1, y2, d));
      ctx.closePath();
      ctx.fillStyle = ctx.strokeStyle = css(lit(colourAt("sequential", middle, theme.dark, theme.background), (b - a) / (x2 - x1), (d - a) / (y2 - y1)));
      ctx.fill();
      ctx.stroke(); // in the same colour: closes the hairlines between cells
    }
  }
}

/** A colour under a lamp at the upper left, for a slope along x and along y. */
function lit(colour: Rgb, slopeX: number, slopeY: number): Rgb {
  const light = (0.35 * slopeX * HEIGHT - 0.25 * slopeY * HEIGHT + 1) / Math.hypot(slopeX * HEIGHT, slopeY * HEIGHT, 1);
  return light < 1 ? mix(colour, [0, 0, 0], Math.min(0.45, (1 - light) * 0.45)) : mix(colour, [255, 255, 255], Math.min(0.25, (light - 1) * 0.6));
}

function drawPaths(ctx: Context, view: Surface, eye: Camera, ends: Range, theme: Theme): void {
  const [left, right, bottom, top] = view.extent;
  const all = Object.values(view.paths);
  all.forEach(({ data }, index) => {
    const places = new Float32Array(Math.floor(data.length / 3) * 2);
    for (let point = 0; 3 * point + 2 < data.length; point++) {
      const x = (data[3 * point]! - left) / (right - left);
      const y = (data[3 * point + 1]! - bottom) / (top - bottom);
      places.set(eye.at(x, y, Math.min(1.2, (data[3 * point + 2]! - ends[0]) / (ends[1] - ends[0]))), 2 * point);
    }
    const colour = all.length === 1 ? "#ffffff" : classColour(index + 1, true);
    for (const [width, ink] of [[theme.line + 2, "rgba(0,0,0,0.65)"], [theme.line, colour]] as const) {
      ctx.lineWidth = width;
      ctx.strokeStyle = ink;
      tracePairs(ctx, places, 2, (value) => value, (value) => value);
    }
    const [x, y] = [places[places.length - 2], places[places.length - 1]];
    if (x !== undefined && y !== undefined && Number.isFinite(x + y)) dot(ctx, x, y, theme.line + 3, colour, "rgba(0,0,0,0.65)");
  });
}

/** The height axis, at the corner farthest to the left. */
function drawHeights(ctx: Context, view: Surface, eye: Camera, ends: Range, theme: Theme): void {
  const corner = [...CORNERS].sort((one, other) => eye.at(one[0], one[1], 0)[0] - eye.at(other[0], other[1], 0)[0])[0]!;
  ctx.strokeStyle = theme.muted;
  ctx.lineWidth = 1;
  line(ctx, ...eye.at(corner[0], corner[1], 0), ...eye.at(corner[0], corner[1], 1));
  for (const { value, label } of linearTicks(ends[0], ends[1], 4)) {
    const [x, y] = eye.at(corner[0], corner[1], shareOf(value, ends));
    line(ctx, x - 4, y, x, y);
    write(ctx, label, x - 7, y, theme, { colour: theme.muted, align: "right" });
  }
  const [x, y] = eye.at(corner[0], corner[1], 1);
  write(ctx, view.zlabel, x, y - theme.size, theme, { colour: theme.muted, align: "center" });
}

function turn(look: Look, dx: number, dy: number): void {
  look.yaw -= dx * 0.01;
  look.pitch = Math.min(1.5, Math.max(0.08, look.pitch + dy * 0.008));
}

function describe(view: Surface): string {
  const ends = Object.entries(view.paths)
    .filter(([, { data }]) => data.length >= 3)
    .map(([name, { data }]) => `; ${name} ends at ${placeWords(data[data.length - 3]!, data[data.length - 2]!)}`);
  return `${view.title || "A landscape"} from ${spanWords(view.values.data)}${ends.join("")}.`;
}

export const surface: Drawn<Surface> = { shape: "picture", height: 300, draw, turn, describe };
