import { format } from "../../shared/numbers";
import { classColour, colourAt, css, luminance, signColour } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import { number, type Edge, type Graph, type Node } from "../data";
import { bare, fitted, head, placeholder, roundedBox, textWidth, widest, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import type { Drawn, Hit, Look, Shape } from "./kind";

interface Placed extends Rectangle {
  node: Node;
  x: number;
  y: number;
}

interface Layout {
  nodes: Placed[];
  byId: Map<string, Placed>;
  /** Whether nodes have room for words; else they are plain dots. */
  worded: boolean;
}

const NODE_HEIGHT = 40;
const LEAST_WIDTH = 22; // narrower, a node has no room for words [px]
const BETWEEN = 12; // neighbours leave this much for the arrow from one to the other [px]
const MANY_NODES = 300;
const NAMED_DOTS = 24;
const WIDE_FROM = 7; // columns of nodes that want the whole width of the page

function lay(view: Graph, box: Box, theme: Theme): Layout {
  const wide = Math.max(widest(view.nodes.map(wordsOf), theme), widest(view.nodes.map(valueOf), theme, theme.size - 1)) + 20;
  const labelled = view.nodes.some((node) => node.label);
  const longest = Math.min(wide, 150, box.width * 0.3);
  const down = (box.height - 16) * gapInColumns(view.nodes);
  const valued = view.nodes.some((node) => Number.isFinite(number(node.value)) && node.label);
  const tall = Math.min(valued ? NODE_HEIGHT : theme.size + 14, down - 6);
  const room = roomAcross(view.nodes, box, tall);
  const worded = labelled && !bare(box) && room >= LEAST_WIDTH && down >= theme.size + 8;
  const width = worded ? Math.min(longest, room) : Math.max(5, Math.min(18, down * 0.6));
  const height = worded ? tall : width;
  const nodes = view.nodes.map((node) => {
    const x = 4 + width / 2 + node.x * (box.width - width - 8);
    const y = 4 + height / 2 + (1 - node.y) * (box.height - height - 8);
    return { node, x, y, left: x - width / 2, top: y - height / 2, width, height };
  });
  return { nodes, byId: new Map(nodes.map((placed) => [placed.node.id, placed])), worded };
}

/** The least distance between different values, 1 where there is but one. */
function gapBetween(values: number[]): number {
  const sorted = [...new Set(values.map((value) => Math.round(value * 1000)))].sort((one, other) => one - other);
  return sorted.reduce((least, value, index) => (index ? Math.min(least, value - sorted[index - 1]!) : least), 1000) / 1000;
}

/** How wide nodes of this height may be so that no two of them touch [px]. */
function roomAcross(nodes: Node[], box: Box, height: number): number {
  if (nodes.length > MANY_NODES) return 0;
  let room = box.width;
  nodes.forEach((one, index) => {
    for (const other of nodes.slice(index + 1)) {
      const [across, down] = [Math.abs(one.x - other.x), Math.abs(one.y - other.y) * (box.height - height - 8)];
      // Centres are as far apart as the box less one node is wide: solved for the node's width.
      if (across > 0.001 && down < height + 4) room = Math.min(room, ((box.width - 8) * across - BETWEEN) / (1 + across));
    }
  });
  return room;
}

function gapInColumns(nodes: Node[]): number {
  const columns = new Map<number, number[]>();
  for (const { x, y } of nodes) {
    const key = Math.round(x * 1000);
    columns.set(key, [...(columns.get(key) ?? []), y]);
  }
  return [...columns.values()].reduce((least, values) => Math.min(least, gapBetween(values)), 1);
}

function wordsOf(node: Node): string {
  return node.label || format(number(node.value));
}

function valueOf(node: Node): string {
  return Number.isFinite(number(node.value)) ? format(number(node.value), 2) : "";
}

function draw(ctx: Context, view: Graph, box: Box, theme: Theme, look: Look): void {
  if (!view.nodes.length) return placeholder(ctx, box, theme);
  const laid = lay(view, box, theme);
  const most = furthest(view.edges);
  const near = look.hover ? under(laid, look.hover[0], look.hover[1]) : -1;
  const focus = near >= 0 ? laid.nodes[near]!.node.id : null;
  for (const edge of view.edges) {
    ctx.globalAlpha = focus === null || edge.source === focus || edge.target === focus ? 1 : 0.15;
    drawEdge(ctx, edge, laid, most, view.edges.length > 80, theme);
  }
  ctx.globalAlpha = 1;
  if (view.edges.length <= 80 && !bare(box)) drawEdgeLabels(ctx, view.edges, laid, theme);
  const kinds = [...new Set(view.nodes.map((node) => node.kind))];
  const strongest = furthest(view.nodes);
  laid.nodes.forEach((placed, index) => {
    const kind = kinds.length > 1 ? classColour(kinds.indexOf(placed.node.kind), theme.dark) : theme.muted;
    drawNode(ctx, placed, laid.worded, strongest, look.picked === index ? theme.accent : kind, theme);
  });
  if (!laid.worded && view.nodes.length <= NAMED_DOTS && !bare(box)) nameDots(ctx, laid.nodes, box, theme);
}

/** The largest distance from zero. */
function furthest(things: { value: number | null }[]): number {
  return things.reduce((most, { value }) => Math.max(most, Math.abs(number(value)) || 0), 1e-12);
}

/** Ends and controls of an edge: out of the side that faces the other node. */
function curve(from: Placed, to: Placed): [x1: number, y1: number, c1: number, d1: number, c2: number, d2: number, x2: number, y2: number] {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (Math.abs(dx) > (from.width + to.width) / 2) {
    const side = Math.sign(dx);
    const [x1, x2] = [from.x + (side * from.width) / 2, to.x - (side * to.width) / 2];
    const bend = (x2 - x1) / 2;
    return [x1, from.y, x1 + bend, from.y, x2 - bend, to.y, x2, to.y];
  }
  const side = Math.sign(dy) || 1;
  const [y1, y2] = [from.y + (side * from.height) / 2, to.y - (side * to.height) / 2];
  const bend = (y2 - y1) / 2;
  return [from.x, y1, from.x, y1 + bend, to.x, y2 - bend, to.x, y2];
}

function drawEdge(ctx: Context, edge: Edge, { byId, worded }: Layout, most: number, many: boolean, theme: Theme): void {
  const [from, to] = [byId.get(edge.source), byId.get(edge.target)];
  if (!from || !to) return;
  const value = number(edge.value);
  const share = Number.isFinite(value) ? Math.abs(value) / most : 0.3;
  const colour = Number.isFinite(value) ? signColour(value, theme.dark) : theme.muted;
  const width = theme.line * (Number.isFinite(value) ? 0.35 + 1.9 * share : 0.8);
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = width;
  const before = ctx.globalAlpha;
  if (many) ctx.globalAlpha = before * (0.12 + 0.88 * share);
  ctx.beginPath();
  if (from === to) {
    loop(ctx, from);
  } else {
    const [x1, y1, c1, d1, c2, d2, x2, y2] = curve(from, to);
    ctx.moveTo(x1, y1);
    if (many || !worded) ctx.lineTo(x2, y2);
    else ctx.bezierCurveTo(c1, d1, c2, d2, x2, y2);
    ctx.stroke();
    if (!many && worded) head(ctx, x2, y2, Math.atan2(y2 - d2, x2 - c2), 5 + width * 1.5);
  }
  ctx.globalAlpha = before;
}

function loop(ctx: Context, { x, top, width }: Placed): void {
  const reach = Math.min(width * 0.4, 18);
  ctx.moveTo(x - reach / 2, top);
  ctx.bezierCurveTo(x - reach, top - reach * 1.6, x + reach, top - reach * 1.6, x + reach / 2, top);
  ctx.stroke();
}

const ALONG = [0.5, 0.36, 0.64, 0.26, 0.74];

/** Labels stand on their edges, where none stands yet; those that find no place are left out. */
function drawEdgeLabels(ctx: Context, edges: Edge[], { byId }: Layout, theme: Theme): void {
  const size = theme.size - 1;
  const taken: Rectangle[] = [];
  for (const edge of edges) {
    const [from, to] = [byId.get(edge.source), byId.get(edge.target)];
    if (!edge.label || !from || !to || from === to) continue;
    const ends = curve(from, to);
    const room = Math.max(Math.abs(ends[6] - ends[0]), Math.abs(ends[7] - ends[1])) - 10;
    const words = fitted(edge.label, Math.max(room, 24), theme, size);
    const width = textWidth(words, theme, size) + 4;
    for (const share of ALONG) {
      const [x, y] = pointOn(ends, share);
      const place = { left: x - width / 2, top: y - size / 2 - 1, width, height: size + 2 };
      if (taken.some((other) => overlap(place, other))) continue;
      taken.push(place);
      ctx.fillStyle = theme.paper;
      ctx.fillRect(place.left, place.top, place.width, place.height);
      write(ctx, words, x, y, theme, { align: "center", size });
      break;
    }
  }
}

function pointOn([x1, y1, c1, d1, c2, d2, x2, y2]: ReturnType<typeof curve>, t: number): [x: number, y: number] {
  const u = 1 - t;
  const weights = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t] as const;
  return [
    weights[0] * x1 + weights[1] * c1 + weights[2] * c2 + weights[3] * x2,
    weights[0] * y1 + weights[1] * d1 + weights[2] * d2 + weights[3] * y2,
  ];
}

function overlap(one: Rectangle, other: Rectangle): boolean {
  return one.left < other.left + other.width && other.left < one.left + one.width && one.top < other.top + other.height && other.top < one.top + one.height;
}

function drawNode(ctx: Context, placed: Placed, worded: boolean, strongest: number, rim: string, theme: Theme): void {
  const { node, x, y, width, height } = placed;
  const value = number(node.value);
  const tinted = Number.isFinite(value);
  const shade = tinted ? colourAt("signed", 0.5 + (0.45 * value) / strongest, theme.dark, theme.background) : theme.background;
  ctx.fillStyle = css(shade);
  ctx.strokeStyle = rim;
  ctx.lineWidth = theme.line;
  roundedBox(ctx, placed, worded ? 7 : width / 2);
  ctx.fill();
  ctx.stroke();
  if (!worded) return;
  const ink = inkOn(shade, theme);
  const two = tinted && Boolean(node.label) && height >= 2 * theme.size + 6;
  const room = width - 8;
  const label = wordsOf(node);
  const size = Math.max(8, Math.min(theme.size, (theme.size * room) / Math.max(1, textWidth(label, theme))));
  write(ctx, fitted(label, room, theme, size), x, two ? y - theme.size / 2 - 1 : y, theme, { colour: ink, align: "center", size });
  if (two) write(ctx, fitted(valueOf(node), room + 4, theme, theme.size - 1), x, y + theme.size / 2 + 3, theme, { colour: ink, align: "center", size: theme.size - 1 });
}

/** Names beside dots, where there is room for one. */
function nameDots(ctx: Context, nodes: Placed[], box: Box, theme: Theme): void {
  const taken: Rectangle[] = nodes.map(({ left, top, width, height }) => ({ left, top, width, height }));
  const size = theme.size - 1;
  for (const { node, x, y, height } of nodes) {
    const words = fitted(node.label, 120, theme, size);
    const width = textWidth(words, theme, size);
    const left = Math.max(0, Math.min(box.width - width, x - width / 2));
    const places = [y + height / 2 + 2, y - height / 2 - size - 2].map((top) => ({ left, top, width, height: size }));
    const place = places.find((one) => one.top >= 0 && one.top + size <= box.height && !taken.some((other) => overlap(one, other)));
    if (!words || !place) continue;
    taken.push(place);
    write(ctx, words, left, place.top + size / 2, theme, { size, halo: theme.paper });
  }
}

function inkOn(shade: Theme["background"], theme: Theme): string {
  const light = luminance(shade);
  if (Math.abs(light - luminance(theme.background)) < 0.15) return theme.text;
  return light > 0.3 ? "#14181f" : "#ffffff";
}

function under({ nodes }: Layout, x: number, y: number): number {
  return nodes.findIndex(({ left, top, width, height }) => x >= left - 4 && x <= left + width + 4 && y >= top - 4 && y <= top + height + 4);
}

function hit(view: Graph, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const index = under(lay(view, box, theme), x, y);
  if (index < 0) return null;
  const { label, id, value, detail } = view.nodes[index]!;
  const words = [label || id, ...(Number.isFinite(number(value)) ? [format(number(value), 4)] : []), ...detail.split("\n").filter(Boolean)];
  return { index, words: words.map((text) => ({ text })) };
}

function describe(view: Graph): string {
  const names = view.nodes.slice(0, 8).map((node) => node.label || node.id);
  const more = view.nodes.length > 8 ? ", …" : "";
  return `${view.title || "A graph"} of ${view.nodes.length} nodes and ${view.edges.length} edges: ${names.join(", ") || "none yet"}${more}.`;
}

/** A long computation with words in it is read across the whole page. */
function shape(view: Graph): Shape {
  const columns = new Set(view.nodes.map((node) => Math.round(node.x * 1000))).size;
  return columns >= WIDE_FROM && view.nodes.length <= MANY_NODES && view.nodes.some((node) => node.label) ? "wide" : "picture";
}

export const graph: Drawn<Graph> = { shape, height: 260, draw, hit, describe };
