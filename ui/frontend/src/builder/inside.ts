/** Which graph is on the canvas: the whole network, or one of its blocks that was opened. */
import type { Description, NodeFacts, Problem } from "./api";
import { blockName } from "./clip";
import { substitute } from "./formula";
import { incoming, nodeName, nodeOf, outgoing, Refusal, type Block, type Graph, type Spec, type SpecNode } from "./spec";

/** The block nodes that were opened, from the outermost to the innermost; empty for the whole network. */
export type Inside = readonly string[];

/** As much of a way as there is in the network. */
export function stepsThere(whole: Spec, inside: Inside): Inside {
  const kept: string[] = [];
  let graph: Graph = whole;
  for (const id of inside) {
    const block = blockOf(whole, nodeOf({ ...whole, ...graph }, id));
    if (!block) break;
    kept.push(id);
    graph = block;
  }
  return kept.length === inside.length ? inside : kept;
}

export function blockOf(whole: Spec, node: SpecNode | undefined): Block | undefined {
  const name = blockName(node);
  return name === undefined ? undefined : whole.blocks?.[name];
}

/** The name of the block that is open; `undefined` for the whole network. */
export function openName(whole: Spec, inside: Inside): string | undefined {
  let name: string | undefined;
  let graph: Graph = whole;
  for (const id of inside) {
    name = blockName(graph.nodes.find((node) => node.id === id));
    graph = (name === undefined ? undefined : whole.blocks?.[name]) ?? whole;
  }
  return name;
}

/** The graph on the canvas as a network of its own, with all blocks at hand. */
export function opened(whole: Spec, inside: Inside): Spec {
  const name = openName(whole, inside);
  const block = name === undefined ? undefined : whole.blocks?.[name];
  if (!block) return whole;
  return { ...whole, nodes: block.nodes, edges: block.edges, outputs: block.outputs };
}

/** The whole network with the edited graph in its place. */
export function putBack(whole: Spec, inside: Inside, edited: Spec): Spec {
  const name = openName(whole, inside);
  if (name === undefined) return edited;
  const { nodes, edges, outputs } = edited;
  return { ...whole, blocks: { ...edited.blocks, [name]: { ...edited.blocks?.[name], nodes, edges, outputs } } };
}

/** The values that the block's own parameters have in the first copy of the opened node. */
export function valuesAt(whole: Spec, inside: Inside): Readonly<Record<string, unknown>> {
  let values: Readonly<Record<string, unknown>> = {};
  let graph: Graph = whole;
  for (const id of inside) {
    const node = graph.nodes.find((one) => one.id === id);
    const block = blockOf(whole, node);
    if (!node || !block) break;
    values = valuesOf(node, block, values);
    graph = block;
  }
  return values;
}

/** What a node of type `Block` gives the block's parameters, in its first copy or in a later one. */
export function valuesOf(node: SpecNode, block: Block, around: Readonly<Record<string, unknown>>, copy = 0): Record<string, unknown> {
  const params = gently(node.params ?? {}, around) as { values?: object; first?: object };
  return { ...block.values, ...params.values, ...(copy === 0 ? params.first : {}) };
}

function gently(value: unknown, values: Readonly<Record<string, unknown>>): unknown {
  try {
    return substitute(value, values);
  } catch (error) {
    if (error instanceof Refusal) return {};
    throw error;
  }
}

const NOTHING: NodeFacts = { inputs: [], output: null, parameters: 0, flops: 0, memory: 0, problems: [] };

/** What the server said, for the graph on the canvas: inside of a block, of its first copy. */
export function described(told: Description | undefined, whole: Spec, inside: Inside): Description | undefined {
  if (!told || inside.length === 0) return told;
  let here = told;
  let prefix = "";
  let graph: Spec = whole;
  inside.forEach((id, depth) => {
    const node = nodeOf(graph, id);
    const parent = here.nodes[id];
    prefix += copyPrefix(id, node);
    graph = opened(whole, inside.slice(0, depth + 1));
    here = level(told, graph, prefix, parent, problemsBelow(told, inside[0] as string));
  });
  return here;
}

function level(told: Description, graph: Spec, prefix: string, parent: NodeFacts | undefined, problems: readonly Problem[]): Description {
  const own = new Map<string, Problem[]>();
  const rest: Problem[] = [];
  const place = plainPath(prefix);
  for (const problem of problems) {
    const path = plainPath(leadingPath(problem.text));
    const id = path.startsWith(place) ? path.slice(place.length).split(".")[0] : undefined;
    if (id && nodeOf(graph, id)) own.set(id, [...(own.get(id) ?? []), problem]);
    else rest.push(problem);
  }
  const inputs = graph.nodes.filter((node) => node.type === "Input").map((node) => node.id);
  const nodes: Record<string, NodeFacts> = {};
  for (const node of graph.nodes) {
    const facts: Omit<NodeFacts, "problems"> =
      node.type === "Input" && node.params?.shape === undefined
        ? { ...NOTHING, output: parent?.inputs[inputs.indexOf(node.id)] ?? null }
        : (told.inside?.[prefix + node.id] ?? together(told, graph, prefix, node));
    nodes[node.id] = { ...facts, problems: own.get(node.id) ?? [] };
  }
  for (const node of graph.nodes)
    if (node.type === "Block")
      nodes[node.id] = { ...(nodes[node.id] as NodeFacts), inputs: incoming(graph, node.id).map(({ source }) => nodes[source]?.output ?? null) };
  return { ...told, nodes, edges: [], problems: rest };
}

/** A block within a block: its layers taken together, with what its last copy gives. */
function together(told: Description, graph: Spec, prefix: string, node: SpecNode): NodeFacts {
  const path = `${prefix}${node.id}.`;
  const layers = Object.entries(told.inside ?? {}).filter(([name]) => name.startsWith(path));
  const sum = (key: "parameters" | "flops" | "memory"): number => layers.reduce((all, [, facts]) => all + (facts[key] ?? 0), 0);
  const output = lastOutput(told, graph, prefix, node);
  return { ...NOTHING, parameters: sum("parameters"), flops: sum("flops"), memory: sum("memory"), output };
}

function lastOutput(told: Description, graph: Spec, prefix: string, node: SpecNode): NodeFacts["output"] {
  const block = blockOf(graph, node);
  if (!block) return null;
  const inner: Spec = { ...graph, ...block };
  const end = block.outputs[0] ?? block.nodes.findLast(({ id }) => outgoing(inner, id).length === 0)?.id;
  const last = end === undefined ? undefined : nodeOf(inner, nodeName(end));
  if (!last) return null;
  const copies = node.params?.repeat;
  const below = typeof copies === "number" ? `${prefix}${node.id}.${copies - 1}.` : `${prefix}${copyPrefix(node.id, node)}`;
  return told.inside?.[below + last.id]?.output ?? (last.type === "Block" ? lastOutput(told, inner, below, last) : null);
}

/** The path of a block's first copy: `layer2.` or, where it is repeated, `layer2.0.`. */
function copyPrefix(id: string, node: SpecNode | undefined): string {
  return node?.params?.repeat === undefined || node.params.repeat === null ? `${id}.` : `${id}.0.`;
}

/** The path from the top of a node on the canvas: of a repeated block, in its first copy. */
export function pathOf(whole: Spec, inside: Inside, id: string): string {
  let path = "";
  inside.forEach((step, depth) => (path += copyPrefix(step, nodeOf(opened(whole, inside.slice(0, depth)), step))));
  return path + id;
}

function problemsBelow(told: Description, top: string): readonly Problem[] {
  return told.nodes[top]?.problems ?? [];
}

function leadingPath(text: string): string {
  return /^[\w.]+/.exec(text)?.[0] ?? "";
}

/** A path without the numbers of copies: what is wrong in one of them is wrong in the block. */
function plainPath(path: string): string {
  return path.replace(/\.\d+(?=\.|$)/g, "");
}
