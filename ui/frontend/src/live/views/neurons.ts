/** A small network: a picture in every unit, a line for every weight. */
import { format } from "../../shared/numbers";
import { signColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Neurons } from "../data";
import { bare, fitted, placeholder, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { bitmap } from "../draw/raster";
import type { Drawn, Hit, Look } from "./kind";

const WIDEST = 7; // of the strongest weight's line [px]
const LARGEST = 64; // side of a unit's picture [px]
const SMALLEST = 6;
const MOST = 400; // units
const NEAR = 5; // how near the pointer must be to a line [px]

interface Wire {
  layer: number;
  from: number;
  to: number;
  value: number;
}

interface Layout {
  units: Rectangle[];
  /** Number of each layer's first unit. */
  first: number[];
  side: number;
}

function lay(view: Neurons, box: Box, theme: Theme): Layout {
  const words = bare(box) ? 0 : theme.size + 8;
  const most = Math.max(...view.sizes);
  const columns = view.sizes.length;
  const margin = bare(box) ? 4 : 64; // for the names of inputs and outputs
  const room = (box.height - words - 6) / most;
  const side = Math.max(SMALLEST, Math.min(LARGEST, room - 4, (box.width - 2 * margin) / (2 * columns)));
  const units: Rectangle[] = [];
  const first: number[] = [];
  view.sizes.forEach((size, layer) => {
    first.push(units.length);
    const left = margin + (columns < 2 ? 0 : (layer * (box.width - 2 * margin - side)) / (columns - 1));
    const gap = Math.min(side + 18, (box.height - words) / size);
    const top = words + (box.height - words - gap * size) / 2 + (gap - side) / 2;
    for (let unit = 0; unit < size; unit++) units.push({ left, top: top + unit * gap, width: side, height: side });
  });
  return { units, first, side };
}

function* wires(view: Neurons): Generator<Wire> {
  for (const [layer, weights] of view.weights.entries()) {
    const [outs = 0, ins = 0] = weights.shape;
    for (let to = 0; to < outs; to++) {
      for (let from = 0; from < ins; from++) yield { layer, from, to, value: weights.data[to * ins + from]! };
    }
  }
}

/** The largest weight of each layer: widths compare within a layer. */
function strengths(view: Neurons): number[] {
  return view.weights.map(({ data }) => {
    let most = 1e-9;
    for (const value of data) most = Math.max(most, Math.abs(value) || 0);
    return most;
  });
}

function ends({ units, first, side }: Layout, { layer, from, to }: Wire): [number, number, number, number] {
  const start = units[first[layer]! + from]!;
  const end = units[first[layer + 1]! + to]!;
  return [start.left + side, start.top + side / 2, end.left, end.top + side / 2];
}

/** The unit under the pointer, or -1. */
function unitAt({ units }: Layout, x: number, y: number): number {
  return units.findIndex(({ left, top, width, height }) => x >= left && x <= left + width && y >= top && y <= top + height);
}

/** Where a bent line is at a share of its way. */
function bent([x1, y1, x2, y2]: [number, number, number, number], share: number): [number, number] {
  const eased = share * share * (3 - 2 * share);
  return [x1 + (x2 - x1) * share, y1 + (y2 - y1) * eased];
}

function draw(ctx: Context, view: Neurons, box: Box, theme: Theme, look: Look): void {
  const [count = 0, rows = 0, columns = 0] = view.maps.shape;
  if (!count || !rows) return placeholder(ctx, box, theme);
  if (count > MOST) return placeholder(ctx, box, theme, `${count} units are too many to draw`);
  const laid = lay(view, box, theme);
  const most = strengths(view);
  const chosen = look.hover ? unitAt(laid, ...look.hover) : -1;
  for (const wire of wires(view)) {
    const touched = chosen < 0 || laid.first[wire.layer]! + wire.from === chosen || laid.first[wire.layer + 1]! + wire.to === chosen;
    const share = Math.min(1, Math.abs(wire.value) / most[wire.layer]!) || 0; // NaN counts as nothing
    const [x1, y1, x2, y2] = ends(laid, wire);
    ctx.globalAlpha = touched ? 0.25 + 0.65 * share : 0.05;
    ctx.strokeStyle = signColour(wire.value, theme.dark);
    ctx.lineWidth = Math.max(0.4, WIDEST * share * Math.min(1, laid.side / 24));
    ctx.beginPath();
    ctx.moveTo(x1, y1);
    ctx.bezierCurveTo((x1 + x2) / 2, y1, (x1 + x2) / 2, y2, x2, y2);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  laid.units.forEach((place, unit) => {
    const picture = bitmap({ values: view.maps.data, rows, columns, offset: unit * rows * columns, range: [-1, 1], scale: "signed" }, theme);
    ctx.imageSmoothingEnabled = true;
    ctx.drawImage(picture, place.left, place.top, place.width, place.height);
    ctx.strokeStyle = unit === chosen ? theme.accent : theme.muted;
    ctx.lineWidth = unit === chosen ? 2 : 1;
    ctx.strokeRect(place.left, place.top, place.width, place.height);
  });
  if (!bare(box)) name(ctx, view, laid, box, theme);
}

function name(ctx: Context, view: Neurons, { units, first, side }: Layout, box: Box, theme: Theme): void {
  view.sizes.forEach((size, layer) => {
    const { left } = units[first[layer]!]!;
    const words = fitted(`${view.names[layer] ?? ""} ${size}`.trim(), box.width / view.sizes.length - 4, theme);
    write(ctx, words, left + side / 2, theme.size / 2 + 1, theme, { align: "center", colour: theme.muted });
  });
  const column = (names: string[], layer: number, align: CanvasTextAlign, at: (place: Rectangle) => number): void => {
    for (let unit = 0; unit < view.sizes[layer]!; unit++) {
      const place = units[first[layer]! + unit]!;
      write(ctx, fitted(names[unit] ?? "", 56, theme), at(place), place.top + side / 2, theme, { align });
    }
  };
  column(view.inputs, 0, "right", ({ left }) => left - 6);
  column(view.outputs, view.sizes.length - 1, "left", ({ left, width }) => left + width + 6);
}

function called(view: Neurons, layer: number, unit: number): string {
  if (layer === 0) return view.inputs[unit] ?? `input ${unit + 1}`;
  if (layer === view.sizes.length - 1 && view.outputs[unit]) return view.outputs[unit]!;
  return `${view.names[layer] ?? `layer ${layer}`}, unit ${unit + 1}`;
}

function hit(view: Neurons, box: Box, x: number, y: number, theme: Theme): Hit | null {
  if (!view.maps.shape[0]) return null;
  const laid = lay(view, box, theme);
  const unit = unitAt(laid, x, y);
  if (unit >= 0) {
    const layer = laid.first.findLastIndex((start) => start <= unit);
    return { index: unit, words: [{ text: called(view, layer, unit - laid.first[layer]!) }] };
  }
  let best: Wire | undefined;
  let least = NEAR;
  for (const wire of wires(view)) {
    const way = ends(laid, wire);
    const share = (x - way[0]) / (way[2] - way[0]);
    if (share < 0 || share > 1) continue;
    const distance = Math.abs(bent(way, share)[1] - y);
    if (distance < least) [best, least] = [wire, distance];
  }
  if (!best) return null;
  const words = `${called(view, best.layer, best.from)} → ${called(view, best.layer + 1, best.to)}: ${format(best.value)}`;
  return { words: [{ text: words, colour: signColour(best.value, theme.dark) }] };
}

function describe(view: Neurons): string {
  const strongest = Math.max(0, ...strengths(view));
  return `${view.title || "A network"}: ${view.sizes.join(" – ")} units; the strongest weight is ${format(strongest)}.`;
}

export const neurons: Drawn<Neurons> = { shape: "wide", height: 340, draw, hit, describe };
