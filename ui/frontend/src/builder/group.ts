/** Layers become a block of their own, and a block becomes layers again. */
import type { Added } from "./edits";
import { blockName } from "./clip";
import { substitute } from "./formula";
import { blockOf, valuesOf } from "./inside";
import { baseName, freshName, names, nodeName, nodeOf, outgoing, Refusal, type Block, type Graph, type Spec, type SpecEdge, type SpecNode } from "./spec";

/**
 * Puts nodes into a new block and one node of type `Block` in their place.
 *
 * Args:
 *   prefix: the path of the graph within the network, where weights may be tied: `""` at the top.
 */
export function group(spec: Spec, ids: ReadonlySet<string>, prefix = "", wanted = "block"): Added {
  const chosen = spec.nodes.filter((node) => ids.has(node.id));
  if (chosen.length === 0) throw new Refusal("Choose the layers that shall become a block.");
  const input = chosen.find((node) => node.type === "Input");
  if (input) throw new Refusal(`${input.id} is where data come in and stays outside of blocks; take it out of the choice.`);
  refuseGap(spec, ids);
  const name = freeBlock(spec, wanted);
  const rest = new Set([...names(spec)].filter((id) => !ids.has(id)));
  const id = freshName(rest, name.replace(/\d+$/, ""));
  const { block, entrances, exits } = cutOut(spec, chosen, ids);
  const node: SpecNode = { id, type: "Block", params: { block: name }, ...middle(chosen) };
  const first = spec.nodes.findIndex((one) => ids.has(one.id));
  const nodes = spec.nodes.flatMap((one, at) => (at === first ? [node] : ids.has(one.id) ? [] : [one]));
  const edges = [...around(spec, ids, id, exits), ...entrances.map((end, port): SpecEdge => (entrances.length > 1 ? [end, id, port] : [end, id]))];
  const grouped: Spec = {
    ...spec,
    blocks: { ...spec.blocks, [name]: block },
    nodes,
    edges,
    outputs: unique(spec.outputs.map((end) => (ids.has(nodeName(end)) ? exitName(id, exits, end) : end))),
  };
  const moved = new Map([...ids].map((old) => [prefix + old, `${prefix}${id}.${old}`]));
  return { spec: retied(grouped, moved), added: [id] };
}

/** The chosen nodes as a graph, what feeds it from outside, and which of its ends are used outside. */
function cutOut(spec: Spec, chosen: readonly SpecNode[], ids: ReadonlySet<string>): { block: Block; entrances: string[]; exits: string[] } {
  const within = (end: string): boolean => ids.has(nodeName(end));
  const entrances = unique(spec.edges.filter(([source, target]) => ids.has(target) && !within(source)).map(([source]) => source));
  const taken = new Set(ids);
  const doors = entrances.map(() => {
    const door = taken.has("x") ? freshName(taken, "x") : "x";
    taken.add(door);
    return door;
  });
  const inner = spec.edges.filter(([, target]) => ids.has(target));
  const edges = inner.map((edge): SpecEdge => (within(edge[0]) ? edge : from(edge, doors[entrances.indexOf(edge[0])] as string)));
  const outward = [...spec.edges.filter(([source, target]) => within(source) && !ids.has(target)).map(([source]) => source), ...spec.outputs.filter(within)];
  const loose = chosen.filter((node) => spec.outputs.length === 0 && outgoing(spec, node.id).length === 0).map((node) => node.id);
  const used = unique([...outward, ...loose]);
  const exits = used.length ? used : chosen.filter((node) => outgoing(spec, node.id).length === 0).map((node) => node.id);
  const nodes = [...doors.map((id): SpecNode => ({ id, type: "Input" })), ...chosen.map(({ position: _, ...node }) => node)];
  return { block: { nodes, edges, outputs: exits }, entrances, exits };
}

/** The edges outside of the chosen nodes, with the new node where one of them fed something. */
function around(spec: Spec, ids: ReadonlySet<string>, id: string, exits: readonly string[]): SpecEdge[] {
  return spec.edges.flatMap((edge): SpecEdge[] => {
    if (ids.has(edge[1])) return [];
    return [ids.has(nodeName(edge[0])) ? from(edge, exitName(id, exits, edge[0])) : edge];
  });
}

function exitName(id: string, exits: readonly string[], end: string): string {
  const at = exits.indexOf(end);
  return at > 0 ? `${id}.${at}` : id;
}

/** A way that leaves the chosen nodes and comes back would run in a circle through the block. */
function refuseGap(spec: Spec, ids: ReadonlySet<string>): void {
  const queue = [...ids].flatMap((id) => outgoing(spec, id).map(({ target }) => [target, target] as const)).filter(([target]) => !ids.has(target));
  const seen = new Set<string>();
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [at, first] = next;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const { target } of outgoing(spec, at)) {
      if (ids.has(target)) throw new Refusal(`What the chosen layers give runs through ${first} and comes back to ${target}; choose ${first} too.`);
      queue.push([target, first]);
    }
  }
}

/** Puts a block's layers, copy for copy, in the place of the node that uses it. */
export function unpack(spec: Spec, id: string, prefix = "", values: Readonly<Record<string, unknown>> = {}): Added {
  const node = nodeOf(spec, id);
  const block = blockOf(spec, node);
  if (!node || !block) throw new Refusal(`${id} is no block; there is nothing to unpack.`);
  const repeat = substitute(node.params?.repeat, values);
  const copies = typeof repeat === "number" ? repeat : 1;
  const grown: Grown = { nodes: [], edges: [], taken: new Set([...names(spec)].filter((one) => one !== id)), moved: new Map() };
  let flow = feeds(spec, id);
  for (let copy = 0; copy < copies; copy += 1) {
    const path = typeof repeat === "number" ? `${prefix}${id}.${copy}.` : `${prefix}${id}.`;
    const results = unpackCopy(spec, block, valuesOf(node, block, values, copy), flow, path, prefix, grown);
    flow = [...results, ...flow.slice(results.length)];
  }
  const end = (written: string): string => (nodeName(written) === id ? (flow[Number(written.slice(id.length + 1) || 0)] ?? (flow[0] as string)) : written);
  const outer = spec.edges.filter(([, target]) => target !== id).map((edge) => from(edge, end(edge[0])));
  const placed = shifted(grown.nodes, node.position);
  const nodes = spec.nodes.flatMap((one) => (one.id === id ? placed : [one]));
  const unpacked: Spec = { ...spec, nodes, edges: [...outer, ...grown.edges], outputs: unique(spec.outputs.map(end)) };
  return { spec: retied(unpacked, grown.moved), added: grown.nodes.map((one) => one.id) };
}

interface Grown {
  readonly nodes: SpecNode[];
  readonly edges: SpecEdge[];
  readonly taken: Set<string>;
  /** Path within the block before, path after. */
  readonly moved: Map<string, string>;
}

function unpackCopy(spec: Spec, block: Block, values: Record<string, unknown>, flow: readonly string[], path: string, prefix: string, grown: Grown): string[] {
  const called = new Map<string, string>();
  let door = 0;
  for (const node of block.nodes) {
    if (node.type === "Input") {
      called.set(node.id, flow[door++] ?? "");
      continue;
    }
    const name = grown.taken.has(node.id) ? freshName(grown.taken, node.id.replace(/\d+$/, "") || (blockName(node) ?? baseName(node.type))) : node.id;
    grown.taken.add(name);
    called.set(node.id, name);
    grown.moved.set(path + node.id, prefix + name);
    const params = node.params ? { params: substitute(node.params, values) as Readonly<Record<string, unknown>> } : {};
    grown.nodes.push({ ...node, id: name, ...params });
  }
  const end = (written: string): string => (called.get(nodeName(written)) ?? "") + written.slice(nodeName(written).length);
  for (const edge of block.edges) {
    const source = end(edge[0]);
    if (source) grown.edges.push(edge[2] === undefined ? [source, end(edge[1])] : [source, end(edge[1]), edge[2]]);
  }
  const graph: Spec = { ...spec, ...block };
  const outputs = block.outputs.length ? block.outputs : block.nodes.filter((node) => outgoing(graph, node.id).length === 0).map((node) => node.id);
  return outputs.map(end);
}

/** What feeds a node, in the order of its inputs. */
function feeds(spec: Spec, id: string): string[] {
  const ends: string[] = [];
  const loose: string[] = [];
  for (const [source, target, port] of spec.edges) {
    if (target !== id) continue;
    if (port === undefined) loose.push(source);
    else ends[port] = source;
  }
  for (let port = 0; loose.length; port += 1) if (ends[port] === undefined) ends[port] = loose.shift() as string;
  return ends;
}

/** Weights stay tied to nodes that have another path now. */
function retied(spec: Spec, moved: ReadonlyMap<string, string>): Spec {
  const retie = <Some extends Graph>(graph: Some): Some => ({
    ...graph,
    nodes: graph.nodes.map((node) => {
      if (!node.tied) return node;
      const old = [...moved.keys()].find((path) => node.tied === path || node.tied?.startsWith(`${path}.`));
      return old === undefined ? node : { ...node, tied: (moved.get(old) as string) + node.tied.slice(old.length) };
    }),
  });
  if (![spec, ...Object.values(spec.blocks ?? {})].some((graph) => graph.nodes.some((node) => node.tied))) return spec;
  const blocks = Object.fromEntries(Object.entries(spec.blocks ?? {}).map(([name, block]) => [name, retie(block)]));
  return { ...retie(spec), ...(spec.blocks ? { blocks } : {}) };
}

function middle(nodes: readonly SpecNode[]): Pick<SpecNode, "position"> {
  const places = nodes.flatMap((node) => (node.position ? [node.position] : []));
  if (places.length < nodes.length) return {};
  const mean = (axis: 0 | 1): number => Math.round(places.reduce((sum, place) => sum + place[axis], 0) / places.length);
  return { position: [mean(0), mean(1)] };
}

/** Unpacked nodes keep no places of their block's own canvas; the first takes the block's place. */
function shifted(nodes: readonly SpecNode[], place: SpecNode["position"]): SpecNode[] {
  return nodes.map(({ position: _, ...node }, at) => (at === 0 && place ? { ...node, position: place } : node));
}

function freeBlock(spec: Spec, wanted: string): string {
  const taken = new Set(Object.keys(spec.blocks ?? {}));
  return taken.has(wanted) ? freshName(taken, wanted.replace(/\d+$/, "")) : wanted;
}

function from(edge: SpecEdge, source: string): SpecEdge {
  return edge[2] === undefined ? [source, edge[1]] : [source, edge[1], edge[2]];
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}
