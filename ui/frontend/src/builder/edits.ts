/** Every change one can make to a network: a spec in, a new spec out, or a `Refusal` in words. */
import {
  EMPTY,
  freshName,
  incoming,
  nameProblem,
  nodeName,
  names,
  nodeOf,
  outgoing,
  path,
  Refusal,
  type Spec,
  type SpecEdge,
  type SpecNode,
} from "./spec";

/** How many inputs a type of node takes: `[least, most]`, `null` for any number. */
export type Arity = readonly [number, number | null];
export type ArityOf = (type: string, params?: SpecNode["params"]) => Arity;

const ANY: ArityOf = () => [0, null];

/** The new network and the names of what was added. */
export interface Added {
  readonly spec: Spec;
  readonly added: readonly string[];
}

/** A node by itself, fed by nothing. */
export function add(spec: Spec, type: string, params: SpecNode["params"] = {}, position?: readonly [number, number]): Added {
  const id = freshName(names(spec), type === "Block" ? String(params?.block ?? type).replace(/_?\d+$/, "") || type : type);
  const node: SpecNode = { id, type, ...(Object.keys(params).length ? { params } : {}), ...(position ? { position } : {}) };
  return { spec: { ...spec, nodes: [...spec.nodes, node] }, added: [id] };
}

/** A new node in the middle of an edge. */
export function insertOnEdge(spec: Spec, index: number, type: string, params: SpecNode["params"] = {}, arity: ArityOf = ANY): Added {
  const edge = spec.edges[index];
  if (!edge) throw new Refusal("This connection is no longer there.");
  refuseSources(type, params, arity);
  const grown = add(spec, type, params);
  const id = grown.added[0] as string;
  const [source, target, port] = edge;
  const onward: SpecEdge = port === undefined ? [id, target] : [id, target, port];
  // The second half takes the old edge's place, so that the target's inputs keep their order.
  const edges = spec.edges.flatMap((old, at): SpecEdge[] => (at === index ? [[source, id], onward] : [old]));
  const nodes = moveBehind(grown.spec.nodes, id, nodeName(source));
  return { spec: { ...grown.spec, nodes, edges }, added: [id] };
}

/**
 * A new node behind another: it takes over all that the other fed, and its place as an output.
 *
 * With `branch` it takes over nothing: a second way begins at the node.
 */
export function append(
  spec: Spec,
  after: string,
  type: string,
  params: SpecNode["params"] = {},
  { branch = false, arity = ANY }: { branch?: boolean; arity?: ArityOf } = {},
): Added {
  if (arity(type, params)[1] === 0) return add(spec, type, params);
  const grown = add(spec, type, params);
  const id = grown.added[0] as string;
  const edges: SpecEdge[] = branch ? [...spec.edges] : spec.edges.map((edge) => (edge[0] === after ? fromNode(edge, id) : edge));
  edges.push([after, id]);
  const outputs = branch ? [...spec.outputs] : spec.outputs.map((output) => (output === after ? id : output));
  return { spec: { ...grown.spec, nodes: moveBehind(grown.spec.nodes, id, after), edges, outputs }, added: [id] };
}

/** Takes nodes out; what fed a node then feeds what the node fed. */
export function remove(spec: Spec, ids: Iterable<string>): Spec {
  let rest = spec;
  for (const id of ids) rest = removeOne(rest, id);
  return rest;
}

function removeOne(spec: Spec, id: string): Spec {
  const bridge = incoming(spec, id)[0]?.end;
  const edges = spec.edges.flatMap((edge): SpecEdge[] => {
    if (edge[1] === id) return [];
    if (nodeName(edge[0]) !== id) return [edge];
    return bridge === undefined ? [] : [fromNode(edge, bridge)];
  });
  const outputs = spec.outputs.map((output) => (nodeName(output) === id ? bridge : output));
  const kept = outputs.filter((output, at): output is string => output !== undefined && outputs.indexOf(output) === at);
  return { ...spec, nodes: spec.nodes.filter((node) => node.id !== id), edges, outputs: kept };
}

/** Cuts one connection; the other inputs of the target stay where they are if it has ports. */
export function disconnect(spec: Spec, index: number, arity: ArityOf = ANY): Spec {
  const edge = spec.edges[index];
  if (!edge) return spec;
  const pinned = pinPorts(spec, edge[1], arity);
  return { ...pinned, edges: pinned.edges.filter((_, at) => at !== index) };
}

/**
 * Joins two nodes. Where the target has no free input, the connection that is in the way gives way.
 *
 * Raises a `Refusal` if values would run in a circle.
 */
export function connect(spec: Spec, source: string, target: string, port?: number, arity: ArityOf = ANY): Spec {
  refuseCircle(spec, nodeName(source), target);
  const node = nodeOf(spec, target);
  if (!node) throw new Refusal(`There is no layer called “${target}”.`);
  const most = arity(node.type, node.params)[1];
  if (most === 0) throw new Refusal(`${target} is where data come in; nothing can be connected to it.`);
  if (most === null) return joinAny(spec, source, target, port);
  const pinned = pinPorts(spec, target, arity);
  const feeds = incoming(pinned, target);
  const wanted = port ?? freePort(feeds.map((feed) => feed.port), most);
  const inTheWay = new Set(feeds.filter((feed) => feed.port === wanted).map((feed) => feed.index));
  const edges = pinned.edges.filter((_, at) => !inTheWay.has(at));
  const joined: SpecEdge = most === 1 ? [source, target] : [source, target, wanted];
  return { ...pinned, edges: [...edges, joined] };
}

/** Moves an end of a connection to another node. */
export function reconnect(spec: Spec, index: number, source: string, target: string, port?: number, arity: ArityOf = ANY): Spec {
  const old = spec.edges[index];
  if (!old) throw new Refusal("This connection is no longer there.");
  if (old[1] === target && port === undefined) {
    refuseCircle({ ...spec, edges: spec.edges.filter((_, at) => at !== index) }, nodeName(source), target);
    return { ...spec, edges: spec.edges.map((edge, at) => (at === index ? fromNode(edge, source) : edge)) };
  }
  return connect(disconnect(spec, index, arity), source, target, port, arity);
}

function joinAny(spec: Spec, source: string, target: string, port?: number): Spec {
  const feeds = incoming(spec, target);
  const there = port === undefined ? undefined : feeds.find((feed) => feed.port === port);
  if (there) return { ...spec, edges: spec.edges.map((edge, at) => (at === there.index ? fromNode(edge, source) : edge)) };
  return { ...spec, edges: [...spec.edges, [source, target]] };
}

/** The first input that is free; if all are taken, the last. */
function freePort(taken: readonly number[], most: number): number {
  for (let port = 0; port < most; port += 1) if (!taken.includes(port)) return port;
  return most - 1;
}

/** Writes the ports of a node with several named places down, so that cutting one moves no other. */
function pinPorts(spec: Spec, target: string, arity: ArityOf): Spec {
  const node = nodeOf(spec, target);
  const most = node ? arity(node.type, node.params)[1] : null;
  if (most === null || most < 2) return spec;
  const ports = new Map(incoming(spec, target).map((feed) => [feed.index, feed.port]));
  const edges = spec.edges.map((edge, at): SpecEdge => {
    const port = ports.get(at);
    return port === undefined ? edge : [edge[0], edge[1], port];
  });
  return { ...spec, edges };
}

function refuseCircle(spec: Spec, source: string, target: string): void {
  if (source === target) throw new Refusal(`${source} cannot feed itself; for recurrence take an RNN, LSTM or GRU layer.`);
  const way = path(spec, target, source);
  if (way) {
    const shown = way.length > 6 ? [...way.slice(0, 3), "…", ...way.slice(-2)] : way;
    throw new Refusal(
      `Connecting ${source} to ${target} would close a circle (${[...shown, target].join(" → ")}). Values must flow one way.`,
    );
  }
}

function refuseSources(type: string, params: SpecNode["params"], arity: ArityOf): void {
  if (arity(type, params)[1] === 0) throw new Refusal(`${type} takes no input, so it cannot stand between two layers.`);
}

/** Gives a parameter a value; `undefined` takes it back to its default. */
export function setParam(spec: Spec, id: string, name: string, value: unknown): Spec {
  return changeNode(spec, id, (node) => {
    const params: Record<string, unknown> = { ...node.params };
    if (value === undefined) delete params[name];
    else params[name] = value;
    const { params: _, ...rest } = node;
    return Object.keys(params).length ? { ...rest, params } : rest;
  });
}

export function rename(spec: Spec, id: string, name: string): Spec {
  const problem = nameProblem(spec, name, id);
  if (problem) throw new Refusal(problem);
  const renamed = (end: string): string => (nodeName(end) === id ? name + end.slice(id.length) : end);
  return {
    ...changeNode(spec, id, (node) => ({ ...node, id: name })),
    edges: spec.edges.map(([source, target, port]): SpecEdge =>
      port === undefined ? [renamed(source), renamed(target)] : [renamed(source), renamed(target), port],
    ),
    outputs: spec.outputs.map(renamed),
  };
}

/** Makes a node one of the network's outputs, or no longer. */
export function toggleOutput(spec: Spec, id: string): Spec {
  const outputs = spec.outputs.includes(id) ? spec.outputs.filter((output) => output !== id) : [...spec.outputs, id];
  return { ...spec, outputs };
}

/** Says of nodes that training leaves their weights as they are, or no longer does. */
export function setFrozen(spec: Spec, ids: ReadonlySet<string>, frozen: boolean): Spec {
  const nodes = spec.nodes.map((node): SpecNode => {
    if (!ids.has(node.id)) return node;
    const { frozen: _, ...rest } = node;
    return frozen ? { ...rest, frozen } : rest;
  });
  return { ...spec, nodes };
}

/** Gives one number of a layer a first value by hand. */
export function setStart(spec: Spec, id: string, index: readonly number[], value: number, name = "weight"): Spec {
  return changeNode(spec, id, (node) => {
    const others = (node.start ?? []).filter((one) => one[0].join() !== index.join() || (one[2] ?? "weight") !== name);
    return { ...node, start: [...others, name === "weight" ? [index, value] : [index, value, name]] };
  });
}

/** Takes a connection within a layer away, or gives it back. */
export function toggleCut(spec: Spec, id: string, index: readonly number[]): Spec {
  return changeNode(spec, id, ({ cut = [], ...node }) => {
    const others = cut.filter((one) => one.join() !== index.join());
    const next = others.length < cut.length ? others : [...cut, index];
    return next.length ? { ...node, cut: next } : node;
  });
}

/** Writes places on the canvas into the nodes. */
export function place(spec: Spec, places: ReadonlyMap<string, readonly [number, number]>): Spec {
  const nodes = spec.nodes.map((node) => {
    const position = places.get(node.id);
    return position ? { ...node, position: [Math.round(position[0]), Math.round(position[1])] as const } : node;
  });
  return { ...spec, nodes };
}

/** Forgets all places: the canvas arranges the nodes by itself again. */
export function unplace(spec: Spec): Spec {
  return { ...spec, nodes: spec.nodes.map(({ position: _, ...node }) => node) };
}

/** The end of the network, where something new goes when nothing is chosen. */
export function tail(spec: Spec): string | undefined {
  const last = spec.outputs.at(-1);
  return last !== undefined ? nodeName(last) : spec.nodes.findLast((node) => outgoing(spec, node.id).length === 0)?.id;
}

/** A network of one's own to begin with: one picture comes in. */
export function blank(shape: readonly number[] = [1, 28, 28]): Spec {
  return { ...EMPTY, nodes: [{ id: "image", type: "Input", params: { shape } }] };
}

function changeNode(spec: Spec, id: string, change: (node: SpecNode) => SpecNode): Spec {
  return { ...spec, nodes: spec.nodes.map((node) => (node.id === id ? change(node) : node)) };
}

export function fromNode(edge: SpecEdge, source: string): SpecEdge {
  return edge[2] === undefined ? [source, edge[1]] : [source, edge[1], edge[2]];
}

/** Keeps the list of nodes in reading order: a new node stands right after the one that feeds it. */
function moveBehind(nodes: readonly SpecNode[], id: string, before: string): SpecNode[] {
  const moved = nodes.find((node) => node.id === id) as SpecNode;
  return nodes.filter((node) => node.id !== id).flatMap((node) => (node.id === before ? [node, moved] : [node]));
}
