/** A network as data, and the questions one asks of it. */

/**
 * `[source, target]` or `[source, target, port]`; without a port the order of the edges counts.
 *
 * The second output of a source is written `lstm.1`.
 */
export type SpecEdge = readonly [string, string] | readonly [string, string, number];

export interface SpecNode {
  readonly id: string;
  readonly type: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly position?: readonly [number, number];
  readonly label?: string;
  /** Path, from the top, of the node whose weight this one uses. */
  readonly tied?: string;
  /** Whether its weights stay as they are in training. */
  readonly frozen?: boolean;
  /** Connections that are gone: beginnings of an index into its weight. */
  readonly cut?: readonly (readonly number[])[];
  /** First values set by hand: index, value, and the parameter's name if it is not the weight. */
  readonly start?: readonly (readonly [readonly number[], number] | readonly [readonly number[], number, string])[];
}

/** What a network and a block have in common. */
export interface Graph {
  readonly nodes: readonly SpecNode[];
  readonly edges: readonly SpecEdge[];
  /** Left empty, every node that nothing follows is an output. */
  readonly outputs: readonly string[];
}

/** A named graph that nodes of type `Block` use; its `Input` nodes are its inputs in order. */
export interface Block extends Graph {
  /** Its own parameters with their defaults. */
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface Spec extends Graph {
  readonly version: number;
  readonly title?: string;
  readonly blocks?: Readonly<Record<string, Block>>;
}

/** An edge with its place in the spec and the input of the target that it really feeds. */
export interface Link {
  readonly index: number;
  readonly source: string;
  readonly target: string;
  readonly port: number;
  /** The source as it is written: with `.1` behind it for its second output. */
  readonly end: string;
}

/** An edit that must not be, told to a person. */
export class Refusal extends Error {}

export const EMPTY: Spec = { version: 1, nodes: [], edges: [], outputs: [] };

export function nodeOf(spec: Spec, id: string): SpecNode | undefined {
  return spec.nodes.find((node) => node.id === id);
}

/** The node an edge's source or an output names: `lstm` of `lstm.1`. */
export function nodeName(end: string): string {
  const dot = end.indexOf(".");
  return dot < 0 ? end : end.slice(0, dot);
}

/** Every edge with its effective port: stated ports first, the others fill the gaps in order. */
export function links(spec: Spec): Link[] {
  const taken = new Map<string, Set<number>>();
  for (const [, target, port] of spec.edges) {
    const ports = taken.get(target) ?? new Set<number>();
    if (port !== undefined) ports.add(port);
    taken.set(target, ports);
  }
  return spec.edges.map(([end, target, stated], index) => {
    const ports = taken.get(target) as Set<number>;
    let port = stated ?? 0;
    if (stated === undefined) while (ports.has(port)) port += 1;
    ports.add(port);
    return { index, source: nodeName(end), target, port, end };
  });
}

/** What feeds a node, in the order of its inputs. */
export function incoming(spec: Spec, id: string): Link[] {
  return links(spec)
    .filter((link) => link.target === id)
    .sort((one, other) => one.port - other.port);
}

export function outgoing(spec: Spec, id: string): Link[] {
  return links(spec).filter((link) => link.source === id);
}

/** A shortest way along the edges from one node to another, both included. */
export function path(spec: Spec, from: string, to: string): string[] | undefined {
  const next = followers(spec);
  const origin = new Map<string, string | undefined>([[from, undefined]]);
  const queue = [from];
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    if (at === to) {
      const way: string[] = [];
      for (let step: string | undefined = at; step !== undefined; step = origin.get(step)) way.unshift(step);
      return way;
    }
    for (const target of next.get(at) ?? []) {
      if (!origin.has(target)) {
        origin.set(target, at);
        queue.push(target);
      }
    }
  }
  return undefined;
}

/** The nodes in an order in which values can flow; nodes on a circle come last. */
export function flowOrder(spec: Spec): string[] {
  const waiting = new Map(spec.nodes.map((node) => [node.id, 0]));
  for (const [, target] of spec.edges) waiting.set(target, (waiting.get(target) ?? 0) + 1);
  const next = followers(spec);
  const ready = spec.nodes.filter((node) => waiting.get(node.id) === 0).map((node) => node.id);
  const order: string[] = [];
  for (let at = ready.shift(); at !== undefined; at = ready.shift()) {
    order.push(at);
    for (const target of next.get(at) ?? []) {
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  const placed = new Set(order);
  return [...order, ...spec.nodes.map((node) => node.id).filter((id) => !placed.has(id))];
}

function followers(spec: Spec): Map<string, string[]> {
  const next = new Map<string, string[]>(spec.nodes.map((node) => [node.id, []]));
  for (const [source, target] of spec.edges) next.get(nodeName(source))?.push(target);
  return next;
}

const PYTHON_WORDS = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
);

/** Why `name` cannot be the name of a node; `undefined` if it can. */
export function nameProblem(spec: Spec, name: string, own?: string): string | undefined {
  if (!name) return "A layer needs a name.";
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name))
    return `“${name}” cannot be a name in Python: use letters, digits and underscores, beginning with a letter.`;
  if (PYTHON_WORDS.has(name)) return `“${name}” is a word of Python itself; choose another name.`;
  if (name.length > 60) return `A name has at most 60 signs; this one has ${name.length}.`;
  if (name !== own && nodeOf(spec, name)) return `There already is a layer called “${name}”.`;
  return undefined;
}

/** `Conv2d` to `conv`, `BatchNorm2d` to `batch_norm`, `LeakyReLU` to `leaky_relu`. */
export function baseName(type: string): string {
  const words = type.replace(/[123]d$/, "").replace(/([a-z0-9])([A-Z][a-z])/g, "$1_$2");
  const name = words.toLowerCase().replace(/[^a-z0-9_]/g, "_").replace(/^(?![a-z])/, "layer_");
  return name;
}

/** A free name that is a Python identifier: `conv1`, `conv2`, ... */
export function freshName(taken: ReadonlySet<string>, type: string): string {
  const base = baseName(type);
  for (let number = 1; ; number += 1) if (!taken.has(`${base}${number}`)) return `${base}${number}`;
}

export function names(spec: Spec): Set<string> {
  return new Set(spec.nodes.map((node) => node.id));
}

/** The same network, whatever the nodes' places on the canvas: what the server has to judge. */
export function structure(spec: Spec): string {
  return JSON.stringify(spec, (key, value: unknown) => (key === "position" ? undefined : value));
}

/** Text that is equal for equal networks, in whatever order they were written and what empty was left out. */
export function identity(spec: Spec): string {
  return JSON.stringify(spec, (key, value: unknown) => {
    if (key === "position" || key === "label" || value === false || value === "" || value === null) return undefined;
    if (Array.isArray(value)) return value.length ? value : undefined;
    if (!isRecord(value)) return value;
    const keys = Object.keys(value).sort();
    return keys.length ? Object.fromEntries(keys.map((name) => [name, value[name]])) : undefined;
  });
}

/**
 * A spec from text somebody pasted or a server sent.
 *
 * Only what the canvas itself relies on is checked; whether the network is sound is the
 * server's judgement.
 */
export function readSpec(source: unknown): Spec {
  const found = typeof source === "string" ? parseJson(source) : source;
  if (!isRecord(found)) throw new Refusal("A network is a JSON object with “nodes” and “edges”.");
  if (found.version !== undefined && found.version !== 1)
    throw new Refusal(`This builder reads version 1; the network says version ${JSON.stringify(found.version)}.`);
  const graph = readGraph(found, "The network");
  if (found.blocks === undefined || found.blocks === null) return { ...found, version: 1, ...graph };
  if (!isRecord(found.blocks)) throw new Refusal("“blocks” must be an object of names and graphs.");
  const blocks = Object.entries(found.blocks).map(([name, block]) => {
    if (!isRecord(block)) throw new Refusal(`The block “${name}” must be an object with “nodes” and “edges”.`);
    return [name, { ...block, ...readGraph(block, `The block “${name}”`) }] as const;
  });
  return { ...found, version: 1, ...graph, blocks: Object.fromEntries(blocks) };
}

function readGraph(found: Record<string, unknown>, who: string): Graph {
  if (!Array.isArray(found.nodes)) throw new Refusal(`${who} has no list of “nodes”.`);
  const nodes = found.nodes.map(readNode);
  const known = new Set<string>();
  for (const { id } of nodes) {
    if (known.has(id)) throw new Refusal(`Two nodes are called “${id}”; every name may be used once.`);
    known.add(id);
  }
  const edges = listOf(found.edges, "edges").map((edge, index) => readEdge(edge, index, known));
  const outputs = listOf(found.outputs, "outputs").map((output) => {
    if (typeof output !== "string" || !known.has(nodeName(output)))
      throw new Refusal(`The output ${JSON.stringify(output)} is not the name of a node.`);
    return output;
  });
  return { nodes, edges, outputs };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(`This is not JSON: ${(error as Error).message}.`);
  }
}

function readNode(node: unknown, index: number): SpecNode {
  if (!isRecord(node) || typeof node.id !== "string" || typeof node.type !== "string" || !node.id)
    throw new Refusal(`Node number ${index + 1} needs an “id” and a “type”, both texts.`);
  if (node.params !== undefined && node.params !== null && !isRecord(node.params))
    throw new Refusal(`The “params” of ${node.id} must be an object of names and values.`);
  const { position, params, label, ...rest } = node;
  const placed = Array.isArray(position) && position.length === 2 && position.every(Number.isFinite);
  return {
    ...(rest as unknown as SpecNode),
    ...(isRecord(params) ? { params } : {}),
    ...(placed ? { position: position as [number, number] } : {}),
    ...(typeof label === "string" ? { label } : {}),
  };
}

function readEdge(edge: unknown, index: number, known: ReadonlySet<string>): SpecEdge {
  const sound =
    Array.isArray(edge) &&
    (edge.length === 2 || (edge.length === 3 && (edge[2] === null || (Number.isInteger(edge[2]) && edge[2] >= 0))));
  if (!sound) throw new Refusal(`Edge number ${index + 1} must be [source, target] or [source, target, port].`);
  const [source, target, port] = edge as [unknown, unknown, number | null | undefined];
  for (const end of [typeof source === "string" ? nodeName(source) : source, target])
    if (typeof end !== "string" || !known.has(end))
      throw new Refusal(`Edge number ${index + 1} names ${JSON.stringify(end)}, which is not a node.`);
  return port == null ? [source as string, target as string] : [source as string, target as string, port];
}

function listOf(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Refusal(`“${name}” must be a list.`);
  return value;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
