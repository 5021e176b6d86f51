/** Many settings at once: an upright axis for each, a line for each trial, coloured by the last. */
import { format } from "../../shared/numbers";
import { colourAt, css } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Parallel } from "../data";
import { bare, fitted, placeholder, write, type Box, type Context } from "../draw/canvas";
import { largest, type Drawn, type Hit, type Look } from "./kind";

const SIDE = 46; // room for the names of the outer axes [px]
const NEAR = 6; // how near the pointer must be to a line [px]
const MOST = 2000; // lines

interface Axis {
  name: string;
  x: number;
  low: number;
  high: number;
  log: boolean;
  words: string[] | undefined;
}

interface Layout {
  axes: Axis[];
  top: number;
  bottom: number;
}

function sized(view: Parallel): [trials: number, axes: number] {
  return [view.values.shape[0] ?? 0, view.values.shape[1] ?? 0];
}

function valueOf(view: Parallel, trial: number, axis: number): number {
  return view.values.data[trial * view.names.length + axis]!;
}

function lay(view: Parallel, box: Box, theme: Theme): Layout {
  const [trials] = sized(view);
  const small = bare(box);
  const side = small ? 6 : SIDE;
  const axes = view.names.map((name, index): Axis => {
    const words = view.words[name];
    const log = view.log.includes(name);
    let [low, high] = words ? [0, Math.max(1, words.length - 1)] : [Infinity, -Infinity];
    for (let trial = 0; !words && trial < trials; trial++) {
      const value = valueOf(view, trial, index);
      if (!Number.isFinite(value) || (log && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    if (!(low < high)) [low, high] = Number.isFinite(low) ? (log ? [low / 2, low * 2] : [low - 1, low + 1]) : [1, 2];
    const x = side + (view.names.length < 2 ? 0 : (index * (box.width - 2 * side)) / (view.names.length - 1));
    return { name, x, low, high, log, words };
  });
  return { axes, top: small ? 6 : 2 * theme.size + 12, bottom: box.height - (small ? 6 : theme.size + 8) };
}

/** Where a value stands on its axis [px]; NaN where it has no place. */
function height(value: number, { low, high, log }: Axis, { top, bottom }: Layout): number {
  const at = log ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low)) : (value - low) / (high - low);
  return Number.isFinite(at) ? bottom - Math.min(1, Math.max(0, at)) * (bottom - top) : Number.NaN;
}

function way(view: Parallel, trial: number, laid: Layout): [x: number, y: number][] {
  const points = laid.axes.map((axis, index): [number, number] => [axis.x, height(valueOf(view, trial, index), axis, laid)]);
  return points.filter(([, y]) => Number.isFinite(y));
}

function draw(ctx: Context, view: Parallel, box: Box, theme: Theme, look: Look): void {
  const [trials, count] = sized(view);
  if (!trials || count < 2) return placeholder(ctx, box, theme);
  const laid = lay(view, box, theme);
  const last = laid.axes.at(-1)!;
  const chosen = look.hover ? nearest(view, laid, ...look.hover) : -1;
  for (let trial = 0; trial < Math.min(trials, MOST); trial++) {
    const score = valueOf(view, trial, count - 1);
    const share = Number.isFinite(score) ? Math.min(1, Math.max(0, (score - last.low) / (last.high - last.low))) : 0;
    ctx.strokeStyle = Number.isFinite(score) ? css(colourAt("sequential", share, theme.dark, theme.background)) : theme.faint;
    ctx.globalAlpha = chosen < 0 ? 0.35 + 0.6 * share : trial === chosen ? 1 : 0.12;
    ctx.lineWidth = trial === chosen ? 3 : 1.5;
    ctx.beginPath();
    way(view, trial, laid).forEach(([x, y], index) => (index ? ctx.lineTo(x, y) : ctx.moveTo(x, y)));
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  for (const axis of laid.axes) upright(ctx, axis, laid, box, theme, laid.axes.length);
}

function upright(ctx: Context, axis: Axis, laid: Layout, box: Box, theme: Theme, count: number): void {
  ctx.strokeStyle = theme.muted;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.moveTo(axis.x, laid.top);
  ctx.lineTo(axis.x, laid.bottom);
  ctx.stroke();
  if (bare(box)) return;
  const room = Math.max(2 * SIDE - 8, (box.width - 2 * SIDE) / Math.max(1, count - 1) - 8);
  write(ctx, fitted(axis.name.replaceAll("_", " "), room, theme), axis.x, theme.size / 2 + 1, theme, { align: "center" });
  const marks: [number, string][] = axis.words
    ? axis.words.map((word, index) => [index, word])
    : [[axis.low, format(axis.low)], [axis.high, format(axis.high)]];
  for (const [value, words] of marks) {
    const y = height(value, axis, laid);
    const outside = axis.words ? 0 : y > (laid.top + laid.bottom) / 2 ? theme.size * 0.8 : -theme.size * 0.8;
    write(ctx, fitted(words, room, theme), axis.x + (axis.words ? 5 : 0), y + outside, theme, {
      align: axis.words ? "left" : "center", colour: theme.muted,
    });
  }
}

/** The trial whose line is under the pointer, or -1. */
function nearest(view: Parallel, laid: Layout, x: number, y: number): number {
  let best = -1;
  let least = NEAR;
  for (let trial = 0; trial < Math.min(sized(view)[0], MOST); trial++) {
    const points = way(view, trial, laid);
    for (let index = 1; index < points.length; index++) {
      const [[x1, y1], [x2, y2]] = [points[index - 1]!, points[index]!];
      if (x < x1 || x > x2) continue;
      const distance = Math.abs(y1 + ((y2 - y1) * (x - x1)) / Math.max(1e-9, x2 - x1) - y);
      if (distance < least) [best, least] = [trial, distance];
    }
  }
  return best;
}

function told(view: Parallel, trial: number): string {
  const parts = view.names.map((name, index) => {
    const value = valueOf(view, trial, index);
    return `${name.replaceAll("_", " ")} ${view.words[name]?.[value] ?? (Number.isFinite(value) ? format(value) : "none")}`;
  });
  return parts.join(", ");
}

function hit(view: Parallel, box: Box, x: number, y: number, theme: Theme): Hit | null {
  if (!sized(view)[0]) return null;
  const trial = nearest(view, lay(view, box, theme), x, y);
  return trial < 0 ? null : { index: trial, words: [{ text: `trial ${trial}: ${told(view, trial)}` }] };
}

function describe(view: Parallel): string {
  const [trials, count] = sized(view);
  const scores = Array.from({ length: trials }, (_, trial) => valueOf(view, trial, count - 1));
  const best = largest(scores);
  return `${view.title || "Trials"}: ${trials} trials${best < 0 ? "" : `; the best has ${told(view, best)}`}.`;
}

export const parallel: Drawn<Parallel> = { shape: "wide", height: 300, draw, hit, describe };
