/** What one can do with a network's blocks themselves: names, parameters, and where they are used. */
import { blockName } from "./clip";
import { isFormula, namesIn } from "./formula";
import { openName, type Inside } from "./inside";
import { isRecord, nameProblem, Refusal, type Block, type Graph, type Spec, type SpecNode } from "./spec";

type Values = Readonly<Record<string, unknown>>;

/** How often nodes of the network and of its blocks use a block. */
export function uses(whole: Spec, name: string): number {
  return [whole, ...Object.values(whole.blocks ?? {})].flatMap((graph) => graph.nodes).filter((node) => blockName(node) === name).length;
}

export function renameBlock(whole: Spec, name: string, next: string): Spec {
  if (name === next) return whole;
  const problem = nameProblem({ ...whole, nodes: [] }, next);
  if (problem) throw new Refusal(problem);
  if (whole.blocks && next in whole.blocks) throw new Refusal(`There already is a block called “${next}”.`);
  const renamed = (node: SpecNode): SpecNode => (blockName(node) === name ? { ...node, params: { ...node.params, block: next } } : node);
  const entries = Object.entries(whole.blocks ?? {}).map(([old, block]) => [old === name ? next : old, onNodes(block, renamed)] as const);
  return { ...onNodes(whole, renamed), blocks: Object.fromEntries(entries) };
}

/** Forgets a block that no node uses. */
export function removeBlock(whole: Spec, name: string): Spec {
  const count = uses(whole, name);
  if (count > 0) throw new Refusal(`The block “${name}” is used ${count === 1 ? "once" : `${count} times`}; delete or unpack that first.`);
  const { [name]: _, ...blocks } = whole.blocks ?? {};
  return { ...whole, blocks };
}

/** Gives a block a parameter of its own, or an existing one another default. */
export function setDefault(whole: Spec, block: string, name: string, value: unknown): Spec {
  const problem = nameProblem({ ...whole, nodes: [] }, name);
  if (problem) throw new Refusal(problem.replace("layer", "parameter"));
  return onBlock(whole, block, (old) => ({ ...old, values: { ...old.values, [name]: value } }));
}

export function removeValue(whole: Spec, block: string, name: string): Spec {
  const user = whole.blocks?.[block]?.nodes.find((node) => mentions(node.params, name));
  if (user) throw new Refusal(`${user.id} uses “${name}”; give it a number first.`);
  const without = (values: unknown): object => {
    const { [name]: _, ...rest } = isRecord(values) ? values : {};
    return rest;
  };
  const unused = (node: SpecNode): SpecNode =>
    blockName(node) === block ? { ...node, params: lean({ ...node.params, values: without(node.params?.values), first: without(node.params?.first) }) } : node;
  const entries = Object.entries(whole.blocks ?? {}).map(([key, one]) => [key, onNodes(one, unused)] as const);
  const all: Spec = { ...onNodes(whole, unused), blocks: Object.fromEntries(entries) };
  return onBlock(all, block, (old) => ({ ...old, values: without(old.values) as Values }));
}

/** Makes a layer's parameter one of the block in which the layer stands: `=width`. */
export function liftParam(whole: Spec, inside: Inside, id: string, field: string, value: unknown): Spec {
  const block = openName(whole, inside);
  if (block === undefined) throw new Refusal("Only within a block can a parameter become the block's own.");
  const values = whole.blocks?.[block]?.values ?? {};
  const short = field.replace(/^out_(channels|features)$/, "width").replace(/_size$/, "");
  const name = [short, `${id}_${short}`].find((one) => !(one in values) || values[one] === value) ?? `${id}_${field}`;
  return onBlock(whole, block, (old) => ({
    ...old,
    values: { ...old.values, [name]: value },
    nodes: old.nodes.map((node) => (node.id === id ? { ...node, params: { ...node.params, [field]: `=${name}` } } : node)),
  }));
}

/** Gives a block's parameter a value at one of its uses; `undefined` goes back to the default. */
export function useValue(params: Values | undefined, set: "values" | "first", name: string, value: unknown): Values {
  const old = isRecord(params?.[set]) ? params[set] : {};
  const { [name]: _, ...rest } = old;
  return lean({ ...params, [set]: value === undefined ? rest : { ...rest, [name]: value } });
}

/** Without sets that hold nothing. */
function lean(params: Record<string, unknown>): Values {
  const kept = Object.entries(params).filter(([key, value]) => !(key === "values" || key === "first") || (isRecord(value) && Object.keys(value).length > 0));
  return Object.fromEntries(kept);
}

function mentions(value: unknown, name: string): boolean {
  if (isFormula(value)) return namesIn(value).includes(name);
  if (Array.isArray(value)) return value.some((one) => mentions(one, name));
  return isRecord(value) && Object.values(value).some((one) => mentions(one, name));
}

function onBlock(whole: Spec, name: string, change: (block: Block) => Block): Spec {
  const block = whole.blocks?.[name];
  if (!block) throw new Refusal(`There is no block called “${name}”.`);
  return { ...whole, blocks: { ...whole.blocks, [name]: change(block) } };
}

function onNodes<Some extends Graph>(graph: Some, change: (node: SpecNode) => SpecNode): Some {
  return { ...graph, nodes: graph.nodes.map(change) };
}
