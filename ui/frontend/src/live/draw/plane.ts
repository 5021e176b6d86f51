/** A rectangle with two axes: where pictures with numbers on both sides are drawn. */
import type { Theme } from "../../shared/theme";
import type { Extent } from "../data";
import type { Axis } from "./axis";
import { bare, fitted, line, textWidth, widest, write, type Box, type Context, type Rectangle } from "./canvas";

export interface Plane extends Rectangle {
  x: Axis;
  y: Axis;
  xlabel: string;
  ylabel: string;
  bare: boolean;
  /** A value's place on the canvas [px]. */
  X(value: number): number;
  Y(value: number): number;
}

interface PlaneOptions {
  xlabel?: string;
  ylabel?: string;
  /** Room kept free above, for a legend, to the right, and for what stands left of the picture [px]. */
  above?: number;
  left?: number;
  right?: number;
  /** Whether one unit is to be as long on both axes. */
  equal?: boolean;
}

const TICK = 6;

/** How many ticks fit along a length [px]. */
export function tickCount(length: number, each: number): number {
  return Math.max(2, Math.min(8, Math.floor(length / each)));
}

/** Lays a plane out in a box. */
export function plane(box: Box, x: Axis, y: Axis, theme: Theme, options: PlaneOptions = {}): Plane {
  const { xlabel = "", ylabel = "", above = 0, right = 0, equal = false } = options;
  const small = bare(box);
  const labels = y.ticks.map((tick) => tick.label);
  // Rounded up to 8 px: the picture keeps its place when a label gains a digit.
  const left = small ? 4 : Math.ceil(((options.left ?? widest(labels, theme)) + TICK + 2) / 8) * 8;
  const top = small ? 4 : above + (ylabel ? theme.size * 1.5 + 8 : theme.size / 2 + 2);
  const bottom = small ? 4 : theme.size + TICK + 4 + (xlabel ? theme.size + 4 : 0);
  const overhang = x.ticks.length ? textWidth(x.ticks[x.ticks.length - 1]!.label, theme) / 2 + 2 : 2;
  const end = small ? 4 : Math.max(right, overhang);
  let area: Rectangle = {
    left, top,
    width: Math.max(10, box.width - left - end),
    height: Math.max(10, box.height - top - bottom),
  };
  if (equal) area = inProportion(area, (x.high - x.low) / (y.high - y.low), small ? 0.5 : 0);
  return {
    ...area, x, y, xlabel, ylabel,
    bare: small,
    X: (value) => area.left + x.share(value) * area.width,
    Y: (value) => area.top + (1 - y.share(value)) * area.height,
  };
}

/** The largest rectangle of a ratio; to the left, under title and legend, or in the middle of a thumbnail. */
function inProportion(area: Rectangle, ratio: number, share: number): Rectangle {
  if (!Number.isFinite(ratio) || ratio <= 0) return area;
  const width = Math.min(area.width, area.height * ratio);
  const height = width / ratio;
  return { left: area.left + (area.width - width) * share, top: area.top + (area.height - height) / 2, width, height };
}

/** Whether the sides of an extent are near enough for one unit to be equally long on both. */
export function nearlySquare([left, right, bottom, top]: Extent): boolean {
  const ratio = (right - left) / (top - bottom);
  return ratio > 0.4 && ratio < 2.5;
}

interface GridOptions {
  /** Which grid lines are drawn. */
  lines?: "both" | "rows" | "none";
  /** Whether ticks along the bottom are drawn; bars write names there. */
  along?: boolean;
}

/** Draws grid lines, ticks and labels of a plane. */
export function grid(ctx: Context, area: Plane, theme: Theme, { lines = "rows", along = true }: GridOptions = {}): void {
  if (area.bare) return;
  const { left, top, width, height } = area;
  ctx.lineWidth = 1;
  ctx.strokeStyle = theme.faint;
  for (const { value, label } of area.y.ticks) {
    const y = Math.round(area.Y(value)) + 0.5;
    if (lines !== "none") line(ctx, left, y, left + width, y);
    else line(ctx, left - 4, y, left, y);
    write(ctx, label, left - TICK, y, theme, { colour: theme.muted, align: "right" });
  }
  if (along) bottomTicks(ctx, area, theme, lines === "both");
  if (area.xlabel) {
    const words = fitted(area.xlabel, width, theme);
    write(ctx, words, left + width / 2, top + height + TICK + theme.size * 1.5 + 6, theme, {
      colour: theme.muted, align: "center",
    });
  }
  if (area.ylabel) {
    write(ctx, fitted(area.ylabel, width + left, theme), Math.max(0, left - 24), top - theme.size - 5, theme, { colour: theme.muted });
  }
}

function bottomTicks(ctx: Context, area: Plane, theme: Theme, lines: boolean): void {
  const { left, top, width, height } = area;
  ctx.strokeStyle = theme.faint;
  let free = Number.NEGATIVE_INFINITY;
  for (const { value, label } of area.x.ticks) {
    const x = Math.round(area.X(value)) + 0.5;
    line(ctx, x, lines ? top : top + height, x, top + height + 4);
    const half = textWidth(label, theme) / 2;
    if (x - half < free) continue;
    free = x + half + 6;
    write(ctx, label, x, top + height + TICK + theme.size / 2, theme, { colour: theme.muted, align: "center" });
  }
  ctx.strokeStyle = theme.muted;
  ctx.globalAlpha = 0.6;
  line(ctx, left, Math.round(top + height) + 0.5, left + width, Math.round(top + height) + 0.5);
  ctx.globalAlpha = 1;
}

/** The value under a place on the canvas, or null outside the plane. */
export function valueAt(area: Plane, x: number, y: number): [number, number] | null {
  const across = (x - area.left) / area.width;
  const up = 1 - (y - area.top) / area.height;
  if (across < 0 || across > 1 || up < 0 || up > 1) return null;
  return [area.x.value(across), area.y.value(up)];
}

/** Runs `draw` with everything outside the plane cut off. */
export function clipped(ctx: Context, area: Rectangle, draw: () => void): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(area.left, area.top, area.width, area.height);
  ctx.clip();
  draw();
  ctx.restore();
}
