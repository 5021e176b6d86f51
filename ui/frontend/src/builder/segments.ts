/**
 * The ranks of a network, arranged piece by piece.
 *
 * Dagre needs seconds for hundreds of nodes. Where all values pass through one node the network
 * falls into pieces that can be arranged alone; equal pieces, such as the blocks of a ResNet, are
 * arranged once, and after an edit only the piece that changed.
 */
import { Graph, layout as arrange } from "@dagrejs/dagre";
import type { Direction, Point, Route, Size } from "./layout";
import { flowOrder, nodeName, type Spec } from "./spec";

/** Room between ranks holds the shapes written at the edges. */
export const BETWEEN_RANKS = { right: 104, down: 64 };
export const BETWEEN_NODES = 40;
const BETWEEN_EDGES = 24;
const KEPT = 400;

export interface Ranked {
  /** The top left corner of every node. */
  readonly places: Map<string, Point>;
  /** The lanes kept free for edges that pass other ranks, by the edge's place in the spec. */
  readonly lanes: Map<number, Route>;
}

/** A piece: nodes from one bottleneck to the next, and the edges among them. */
interface Piece {
  readonly ids: readonly string[];
  readonly edges: readonly (readonly [number, number, number])[]; // from, to (both in `ids`), place in the spec
}

/** Where a piece's nodes and lanes are, counted from the middle of its first node. */
interface Arranged {
  readonly middles: readonly Point[];
  readonly lanes: readonly (readonly Point[] | undefined)[];
}

const known = new Map<string, Arranged>();

export function ranked(spec: Spec, sizes: ReadonlyMap<string, Size>, direction: Direction): Ranked {
  if (spec.nodes.length === 0) return { places: new Map(), lanes: new Map() };
  const order = flowOrder(spec);
  const cuts = bottlenecks(spec, order);
  const places = new Map<string, Point>();
  const lanes = new Map<number, Route>();
  let origin: Point = [0, 0];
  for (let start = 0; start < cuts.length - 1; ) {
    let end = start + 1;
    let piece = pieceOf(spec, order, cuts[start] as number, cuts[end] as number);
    let found = arrangedPiece(piece, sizes, direction);
    // A side branch that reaches past the bottleneck would lie under the next piece.
    while (spills(piece, found, sizes, direction) && end < cuts.length - 1) {
      end += 1;
      piece = pieceOf(spec, order, cuts[start] as number, cuts[end] as number);
      found = arrangedPiece(piece, sizes, direction);
    }
    const here = origin;
    const moved = ([x, y]: Point): Point => [x + here[0], y + here[1]];
    piece.ids.forEach((id, at) => {
      const { width, height } = sizes.get(id) as Size;
      const [x, y] = moved(found.middles[at] as Point);
      places.set(id, [x - width / 2, y - height / 2]);
    });
    piece.edges.forEach(([, , index], at) => {
      const points = found.lanes[at];
      if (points) lanes.set(index, { kind: "lane", points: points.map(moved) });
    });
    origin = moved(found.middles.at(-1) as Point);
    start = end;
  }
  return { places, lanes };
}

/** Places in the order of flow where a piece begins or ends: all that crosses there comes from the node itself. */
function bottlenecks(spec: Spec, order: readonly string[]): number[] {
  const place = new Map(order.map((id, at) => [id, at]));
  const reach = new Map<number, number>();
  for (const [source, target] of spec.edges) {
    const [from, to] = [place.get(nodeName(source)) as number, place.get(target) as number];
    if (to <= from) return [0, order.length - 1]; // a circle: dagre knows how to break it
    reach.set(from, Math.max(reach.get(from) ?? 0, to));
  }
  const cuts = [0];
  let open = new Set<number>();
  for (let at = 0; at < order.length - 1; at += 1) {
    open = new Set([...open].filter((from) => (reach.get(from) as number) > at));
    if ((reach.get(at) ?? 0) > at) open.add(at);
    if (at > 0 && open.size === 1 && open.has(at)) cuts.push(at);
  }
  return [...cuts, Math.max(order.length - 1, 0)].filter((cut, at, all) => at === 0 || cut > (all[at - 1] as number) || all.length === 2);
}

function pieceOf(spec: Spec, order: readonly string[], first: number, last: number): Piece {
  const ids = order.slice(first, last + 1);
  const at = new Map(ids.map((id, number) => [id, number]));
  const edges = spec.edges.flatMap(([source, target], index) => {
    const [from, to] = [at.get(nodeName(source)), at.get(target)];
    return from === undefined || to === undefined ? [] : [[from, to, index] as const];
  });
  return { ids, edges };
}

function arrangedPiece({ ids, edges }: Piece, sizes: ReadonlyMap<string, Size>, direction: Direction): Arranged {
  const boxes = ids.map((id) => sizes.get(id) as Size);
  const key = `${direction}|${boxes.map(({ width, height }) => `${width}x${height}`).join()}|${edges.map(([from, to]) => `${from}>${to}`).join()}`;
  const before = known.get(key);
  if (before) return before;
  const found = withDagre(boxes, edges, direction);
  if (known.size >= KEPT) known.clear();
  known.set(key, found);
  return found;
}

function withDagre(boxes: readonly Size[], edges: Piece["edges"], direction: Direction): Arranged {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: direction === "right" ? "LR" : "TB", ranksep: BETWEEN_RANKS[direction], nodesep: BETWEEN_NODES, edgesep: BETWEEN_EDGES });
  boxes.forEach((box, at) => graph.setNode(String(at), { ...box }));
  edges.forEach(([from, to], at) => graph.setEdge(String(from), String(to), {}, String(at)));
  arrange(graph);
  const middle = (at: number): Point => {
    const { x, y } = graph.node(String(at)) as { x: number; y: number };
    return [x, y];
  };
  const [left, top] = middle(0);
  const from = (x: number, y: number): Point => [x - left, y - top];
  const lanes = edges.map(([source, target], at) => {
    const edge = graph.edge({ v: String(source), w: String(target), name: String(at) }) as { points?: { x: number; y: number }[] } | undefined;
    const inner = edge?.points?.slice(1, -1) ?? [];
    return inner.length > 1 ? inner.map(({ x, y }) => from(x, y)) : undefined;
  });
  return { middles: boxes.map((_, at) => from(...middle(at))), lanes };
}

/** Whether a node reaches past the last one, or stands beside or before the first. */
function spills({ ids }: Piece, { middles }: Arranged, sizes: ReadonlyMap<string, Size>, direction: Direction): boolean {
  const axis = direction === "right" ? 0 : 1;
  const half = (at: number): number => {
    const size = sizes.get(ids[at] as string) as Size;
    return (axis === 0 ? size.width : size.height) / 2;
  };
  const last = ids.length - 1;
  const end = (middles[last] as Point)[axis] + half(last) + 1;
  return middles.some((middle, at) => at !== last && middle[axis] + half(at) > end);
}
