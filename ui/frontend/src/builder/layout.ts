/** Where the nodes stand when nobody has moved them: dagre's ranks, folded like lines of text. */
import { BETWEEN_NODES, BETWEEN_RANKS, ranked } from "./segments";
import { links, nodeName, type Spec, type SpecEdge } from "./spec";

export type Point = readonly [number, number];
export type Direction = "right" | "down";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  /** The top left corner of every node. */
  readonly places: ReadonlyMap<string, Point>;
  /** By the edge's place in the spec: the points a line must pass that is not simply a bow. */
  readonly routes: ReadonlyMap<number, Route>;
}

export interface Route {
  readonly kind: "lane" | "fold";
  readonly points: readonly Point[];
}

const BETWEEN_ROWS = 84;
const MOST_ROWS = 60;
/** How far a folded line stays off the cards. */
const MARGIN = 30;

interface Column {
  left: number;
  right: number;
  ids: string[];
}

/** Arranges a network from left to right, folded to fill `view`, or from top to bottom. */
export function layout(spec: Spec, sizes: ReadonlyMap<string, Size>, direction: Direction, view: Size): Layout {
  if (spec.nodes.length === 0) return { places: new Map(), routes: new Map() };
  const { places, lanes } = ranked(spec, sizes, direction);
  if (direction === "down") return { places, routes: lanes };
  return fold(spec, places, lanes, sizes, view);
}

function fold(spec: Spec, places: ReadonlyMap<string, Point>, lanes: ReadonlyMap<number, Route>, sizes: ReadonlyMap<string, Size>, view: Size): Layout {
  const columns = columnsOf(places, sizes);
  const columnOf = new Map(columns.flatMap((column, at) => column.ids.map((id) => [id, at] as const)));
  const cuts = foldable(spec, columns.length, columnOf);
  const boxes = columns.map((column) => verticalBox(column.ids, places, sizes, lanes, spec, columnOf));
  const starts = bestRows(columns, cuts, boxes, view);
  const rowOf = columns.map((_, at) => starts.findLastIndex((start) => start <= at));
  const shifts = rowShifts(columns, starts, boxes);
  const moved = (at: number, [x, y]: Point): Point => {
    const [dx, dy] = shifts[rowOf[at] as number] as Point;
    return [x + dx, y + dy];
  };
  const folded = new Map([...places].map(([id, point]) => [id, moved(columnOf.get(id) as number, point)]));
  return { places: folded, routes: routesOf(spec, folded, lanes, sizes, { columns, columnOf, rowOf, moved }) };
}

interface Folded {
  columns: Column[];
  columnOf: ReadonlyMap<string, number>;
  rowOf: number[];
  moved: (column: number, point: Point) => Point;
}

function routesOf(spec: Spec, places: ReadonlyMap<string, Point>, lanes: ReadonlyMap<number, Route>, sizes: ReadonlyMap<string, Size>, folded: Folded): Map<number, Route> {
  const routes = new Map<number, Route>();
  for (const { index, source, target } of links(spec)) {
    const from = folded.columnOf.get(source) as number;
    const to = folded.columnOf.get(target) as number;
    const lane = lanes.get(index);
    if (folded.rowOf[from] === folded.rowOf[to]) {
      if (lane) routes.set(index, { kind: "lane", points: lane.points.map((point) => folded.moved(from, point)) });
      continue;
    }
    routes.set(index, { kind: "fold", points: foldedLine(spec, places, sizes, folded, source, target) });
  }
  return routes;
}

/** Out to the right, down between the rows, back to the left, in from the left. */
function foldedLine(spec: Spec, places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>, folded: Folded, source: string, target: string): Point[] {
  const [fromX, fromY] = middle(places, sizes, source);
  const [, toY] = middle(places, sizes, target);
  const right = fromX + (sizes.get(source) as Size).width / 2 + MARGIN;
  const left = (places.get(target) as Point)[0] - MARGIN;
  const row = folded.rowOf[folded.columnOf.get(target) as number];
  const inRow = spec.nodes.filter(({ id }) => folded.rowOf[folded.columnOf.get(id) as number] === row);
  const top = Math.min(...inRow.map(({ id }) => (places.get(id) as Point)[1]));
  const between = top - BETWEEN_ROWS / 2;
  return [[right, fromY], [right, between], [left, between], [left, toY]];
}

function middle(places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>, id: string): Point {
  const [x, y] = places.get(id) as Point;
  const { width, height } = sizes.get(id) as Size;
  return [x + width / 2, y + height / 2];
}

/** Nodes of one rank stand above each other. */
function columnsOf(places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>): Column[] {
  const columns = new Map<number, Column>();
  for (const [id, [x]] of places) {
    const { width } = sizes.get(id) as Size;
    const centre = Math.round(x + width / 2);
    const column = columns.get(centre) ?? { left: Infinity, right: -Infinity, ids: [] };
    column.ids.push(id);
    column.left = Math.min(column.left, x);
    column.right = Math.max(column.right, x + width);
    columns.set(centre, column);
  }
  return [...columns.values()].sort((one, other) => one.left - other.left);
}

/** Before which columns a row may begin: where all that crosses comes from one node. */
function foldable(spec: Spec, count: number, columnOf: ReadonlyMap<string, number>): boolean[] {
  const crossing = Array.from({ length: count }, () => new Set<string>());
  for (const [source, target] of spec.edges) {
    const [from, to] = [columnOf.get(nodeName(source)) as number, columnOf.get(target) as number];
    for (let at = from + 1; at <= to; at += 1) crossing[at]?.add(source);
  }
  return crossing.map((sources) => sources.size <= 1);
}

/** The least and the greatest height that nodes and passing lanes of a column take. */
function verticalBox(ids: readonly string[], places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>, lanes: ReadonlyMap<number, Route>, spec: Spec, columnOf: ReadonlyMap<string, number>): Point {
  let [top, bottom] = [Infinity, -Infinity];
  for (const id of ids) {
    const y = (places.get(id) as Point)[1];
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + (sizes.get(id) as Size).height);
  }
  const here = columnOf.get(ids[0] as string);
  for (const [index, { points }] of lanes) {
    if (columnOf.get(nodeName((spec.edges[index] as SpecEdge)[0])) !== here) continue;
    for (const [, y] of points) [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  return [top, bottom];
}

/** The first columns of the rows that let the network be shown largest. */
function bestRows(columns: Column[], cuts: boolean[], boxes: Point[], view: Size): number[] {
  let best: number[] = [0];
  let bestZoom = 0;
  const tried = new Set<string>();
  for (let rows = 1; rows <= columns.length && rows <= MOST_ROWS; rows += 1) {
    const most = Math.ceil(columns.length / rows);
    const starts = rowsOf(cuts, most);
    const key = starts.join();
    if (tried.has(key)) continue;
    tried.add(key);
    const zoom = zoomOf(columns, starts, boxes, view);
    // A little larger is not worth one more fold.
    if (zoom > bestZoom * 1.1) [best, bestZoom] = [starts, zoom];
  }
  return best;
}

function rowsOf(cuts: boolean[], most: number): number[] {
  const starts = [0];
  for (let at = 1; at < cuts.length; at += 1) {
    const start = starts.at(-1) as number;
    if (at - start < most) continue;
    // The nearest place at or before the limit where a fold cuts through one tensor only.
    let cut = at;
    while (cut > start && !cuts[cut]) cut -= 1;
    if (cut > start) starts.push(cut);
    else if (cuts[at]) starts.push(at);
  }
  return starts;
}

function zoomOf(columns: Column[], starts: number[], boxes: Point[], view: Size): number {
  let [width, height] = [0, -BETWEEN_ROWS];
  starts.forEach((start, row) => {
    const end = (starts[row + 1] ?? columns.length) - 1;
    width = Math.max(width, (columns[end] as Column).right - (columns[start] as Column).left);
    const [top, bottom] = extent(boxes, start, end);
    height += bottom - top + BETWEEN_ROWS;
  });
  return Math.min(view.width / (width + 2 * MARGIN), view.height / height, 1);
}

function rowShifts(columns: Column[], starts: number[], boxes: Point[]): Point[] {
  let y = 0;
  return starts.map((start, row) => {
    const end = (starts[row + 1] ?? columns.length) - 1;
    const [top, bottom] = extent(boxes, start, end);
    const shift: Point = [-(columns[start] as Column).left, y - top];
    y += bottom - top + BETWEEN_ROWS;
    return shift;
  });
}

function extent(boxes: Point[], start: number, end: number): Point {
  const part = boxes.slice(start, end + 1);
  return [Math.min(...part.map(([top]) => top)), Math.max(...part.map(([, bottom]) => bottom))];
}

/**
 * Places for nodes that have none among nodes that have: between their neighbours, else below all.
 *
 * Used once somebody has moved a node: then nothing but new nodes is placed for them.
 */
export function fillIn(spec: Spec, sizes: ReadonlyMap<string, Size>, direction: Direction): Map<string, Point> {
  const places = new Map<string, Point>();
  for (const { id, position } of spec.nodes) if (position) places.set(id, position);
  const known = spec.nodes.filter((node) => !node.position);
  for (const { id } of known) places.set(id, free(spotFor(spec, id, places, sizes, direction), sizes.get(id) as Size, places, sizes));
  return places;
}

function spotFor(spec: Spec, id: string, places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>, direction: Direction): Point {
  const all = links(spec);
  const before = all.find((link) => link.target === id && places.has(link.source))?.source;
  const after = all.find((link) => link.source === id && places.has(link.target))?.target;
  const [first, second] = [before && places.get(before), after && places.get(after)];
  if (first && second) return [(first[0] + second[0]) / 2, (first[1] + second[1]) / 2];
  const { width, height } = sizes.get(before ?? after ?? id) as Size;
  const step: Point = direction === "right" ? [width + BETWEEN_RANKS.right, 0] : [0, height + BETWEEN_RANKS.down];
  if (first) return [first[0] + step[0], first[1] + step[1]];
  if (second) return [second[0] - step[0], second[1] - step[1]];
  const lowest = Math.max(0, ...[...places].map(([other, [, y]]) => y + (sizes.get(other) as Size).height + BETWEEN_NODES));
  return [0, places.size ? lowest : 0];
}

/** Moves a spot down until no card stands there. */
function free([x, start]: Point, size: Size, places: ReadonlyMap<string, Point>, sizes: ReadonlyMap<string, Size>): Point {
  let y = start;
  for (let tries = 0; tries < 200; tries += 1) {
    const inTheWay = [...places].find(([id, [left, top]]) => {
      const other = sizes.get(id) as Size;
      return x < left + other.width && left < x + size.width && y < top + other.height && top < y + size.height;
    });
    if (!inTheWay) break;
    y = inTheWay[1][1] + (sizes.get(inTheWay[0]) as Size).height + 24;
  }
  return [x, y];
}
