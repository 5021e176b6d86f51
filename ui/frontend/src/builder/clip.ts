/** Pieces of a network: copied, pasted into this or another network, repeated. */
import { fromNode, type Added, type ArityOf } from "./edits";
import { freshName, isRecord, names, nodeName, readSpec, type Block, type Spec, type SpecEdge, type SpecNode } from "./spec";

const ANY: ArityOf = () => [0, null];

/** Some nodes, the edges among them and the blocks that they use. */
export type Fragment = Pick<Spec, "nodes" | "edges" | "blocks">;

/** How a fragment is written where other programs can read it too. */
const MARK = "orrery layers";

export function fragmentText(fragment: Fragment): string {
  return JSON.stringify({ kind: MARK, version: 1, ...fragment });
}

/** The fragment in a text from the clipboard, or a whole network as one; `undefined` if it is neither. */
export function fragmentOf(text: string): Fragment | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const found: unknown = JSON.parse(text);
    if (!isRecord(found)) return undefined;
    const { nodes, edges, blocks } = readSpec({ version: 1, nodes: found.nodes, edges: found.edges, blocks: found.blocks });
    return { nodes, edges, ...(blocks ? { blocks } : {}) };
  } catch {
    return undefined;
  }
}

/** The chosen nodes with the edges among them. */
export function copy(spec: Spec, ids: ReadonlySet<string>): Fragment {
  const within = (edge: SpecEdge): boolean => ids.has(nodeName(edge[0])) && ids.has(edge[1]);
  const nodes = spec.nodes.filter((node) => ids.has(node.id));
  const blocks = used(nodes, spec.blocks ?? {});
  return { nodes, edges: spec.edges.filter(within), ...(Object.keys(blocks).length ? { blocks } : {}) };
}

/** The blocks that nodes use, and those that these use. */
function used(nodes: readonly SpecNode[], blocks: Readonly<Record<string, Block>>, found: Record<string, Block> = {}): Record<string, Block> {
  for (const node of nodes) {
    const name = blockName(node);
    const block = name === undefined ? undefined : blocks[name];
    if (name === undefined || !block || name in found) continue;
    found[name] = block;
    used(block.nodes, blocks, found);
  }
  return found;
}

export function blockName(node: SpecNode | undefined): string | undefined {
  return node?.type === "Block" && typeof node.params?.block === "string" ? node.params.block : undefined;
}

/** A fragment whose blocks have names that mean nothing else in the network that it comes to. */
function welcomed(fragment: Fragment, blocks: Readonly<Record<string, Block>>): Fragment {
  const called = new Map<string, string>();
  for (const [name, block] of Object.entries(fragment.blocks ?? {})) {
    if (!(name in blocks) || JSON.stringify(blocks[name]) === JSON.stringify(block)) continue;
    const taken = new Set([...Object.keys(blocks), ...Object.keys(fragment.blocks ?? {}), ...called.values()]);
    called.set(name, freshName(taken, `${name}_`));
  }
  if (called.size === 0) return fragment;
  const renamed = (node: SpecNode): SpecNode => {
    const name = blockName(node);
    const to = name === undefined ? undefined : called.get(name);
    return to === undefined ? node : { ...node, params: { ...node.params, block: to } };
  };
  const entries = Object.entries(fragment.blocks ?? {}).map(
    ([name, block]) => [called.get(name) ?? name, { ...block, nodes: block.nodes.map(renamed) }] as const,
  );
  return { ...fragment, nodes: fragment.nodes.map(renamed), blocks: Object.fromEntries(entries) };
}

/**
 * Puts a copy of a fragment in, under new names.
 *
 * If it has one entrance and one exit and `after` is given, it is put in behind that node like a
 * single layer; otherwise it stands by itself.
 */
export function paste(spec: Spec, copied: Fragment, after?: string, arity: ArityOf = ANY): Added {
  const fragment = welcomed(copied, spec.blocks ?? {});
  const taken = names(spec);
  const renamed = new Map<string, string>();
  for (const node of fragment.nodes) {
    const { id } = node;
    const name = freshName(taken, blockName(node)?.replace(/_?\d+$/, "") || node.type);
    taken.add(name);
    renamed.set(id, name);
  }
  const to = (end: string): string => (renamed.get(nodeName(end)) as string) + end.slice(nodeName(end).length);
  const copies = fragment.nodes.map(({ position, tied: _, ...node }) => ({
    ...node,
    id: to(node.id),
    ...(position ? { position: [position[0] + 40, position[1] + 40] as const } : {}),
  }));
  const inner = fragment.edges.map(([source, target, port]): SpecEdge =>
    port === undefined ? [to(source), to(target)] : [to(source), to(target), port],
  );
  const added = [...renamed.values()];
  const blocks = { ...spec.blocks, ...fragment.blocks };
  const loose: Spec = { ...spec, ...(Object.keys(blocks).length ? { blocks } : {}), nodes: [...spec.nodes, ...copies], edges: [...spec.edges, ...inner] };
  const ends = doors(fragment, arity);
  if (after === undefined || !ends) return { spec: loose, added };
  const [entrance, exit] = [to(ends[0]), to(ends[1])];
  const edges = [...spec.edges.map((edge) => (edge[0] === after ? fromNode(edge, exit) : edge)), [after, entrance] as const, ...inner];
  return { spec: { ...loose, edges, outputs: spec.outputs.map((output) => (output === after ? exit : output)) }, added };
}

/** Repeats the chosen nodes right behind themselves. */
export function duplicate(spec: Spec, ids: ReadonlySet<string>, arity: ArityOf = ANY): Added {
  const fragment = copy(spec, ids);
  return paste(spec, fragment, doors(fragment, arity)?.[1], arity);
}

/** The only node without a feed and the only one that feeds nothing, if there is just one of each. */
function doors({ nodes, edges }: Fragment, arity: ArityOf): readonly [string, string] | undefined {
  const entrances = nodes.filter((node) => !edges.some((edge) => edge[1] === node.id));
  const exits = nodes.filter((node) => !edges.some((edge) => nodeName(edge[0]) === node.id));
  const [entrance, exit] = [entrances[0], exits[0]];
  if (!entrance || !exit || entrances.length > 1 || exits.length > 1 || arity(entrance.type, entrance.params)[1] === 0) return undefined;
  return [entrance.id, exit.id];
}
