/** Shapes, sizes and problems as people read them. */
import { format } from "../shared/numbers";
import type { Description, LayerType, NodeFacts, Problem, Shape } from "./api";
import { isRecord, type SpecNode } from "./spec";

/** `6 × 24 × 24`; a dot for a single number, a question mark for what is not known. */
export function shapeWords(shape: Shape | null | undefined): string {
  if (!shape) return "?";
  return shape.length ? shape.join(" × ") : "1 number";
}

/** A count with a prefix: `61.7 k`, `3.9 G`; exact below ten thousand. */
export function short(count: number): string {
  if (Math.abs(count) < 10_000) return format(Math.round(count), 4);
  for (const [size, prefix] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]] as const)
    if (Math.abs(count) >= size) return `${format(count / size, 3)} ${prefix}`;
  return String(count);
}

/** Bytes with a unit: `512 B`, `1.2 MB`. */
export function bytesWords(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  for (const [size, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const)
    if (bytes >= size) return `${format(bytes / size, 3)} ${unit}`;
  return `${bytes} B`;
}

/** A time with a unit: `0.8 ms`, `1.4 s`. */
export function secondsWords(seconds: number): string {
  return seconds >= 1 ? `${format(seconds, 3)} s` : seconds >= 1e-3 ? `${format(1e3 * seconds, 3)} ms` : `${format(1e6 * seconds, 3)} µs`;
}

/** Every digit, in groups of three. */
export function exact(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, Math.abs(count) >= 10_000 ? "\u2009" : "");
}

export function parameterWords(count: number): string {
  return count === 1 ? "1 parameter" : `${exact(count)} parameters`;
}

export function fieldWords(reach: NodeFacts["receptive_field"]): string {
  if (reach === null || reach === undefined) return "";
  return Array.isArray(reach) ? reach.join(" × ") : `${reach} × ${reach}`;
}

/** A parameter's name as words: `out_channels` is `out channels`. */
export function plain(name: string): string {
  return name.replaceAll("_", " ");
}

/** For the card, where a line is short: `out_channels` is `channels`, `kernel_size` is `kernel`. */
function brief(name: string): string {
  return plain(name.replace(/^out_/, "").replace(/_(size|mode)$/, ""));
}

export function valueWords(value: unknown): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.map(valueWords).join(" × ");
  if (!isRecord(value)) return String(value);
  return Object.entries(value).map(([name, inner]) => `${plain(name)} ${valueWords(inner)}`).join(", ");
}

/** The parameters that matter, in one line, in the order of the layer's form. */
export function paramWords(node: SpecNode, layer: LayerType | undefined): string {
  if (node.type === "Block") return blockWords(node);
  const params = node.params ?? {};
  const order = layer ? layer.fields.map((field) => field.name).filter((name) => name in params) : [];
  const rest = Object.keys(params).filter((name) => !order.includes(name));
  return [...order, ...rest].map((name) => `${brief(name)} ${valueWords(params[name])}`).join(" · ");
}

/** A block's name stands elsewhere: its copies and its own parameters. */
function blockWords({ params = {} }: SpecNode): string {
  const values = isRecord(params.values) ? Object.entries(params.values).map(([name, value]) => `${brief(name)} ${valueWords(value)}`) : [];
  return [...(params.repeat === undefined || params.repeat === null ? [] : [`× ${valueWords(params.repeat)}`]), ...values].join(" · ");
}

/** What a card says it is: its type, or the name of the block it uses. */
export function typeWords(node: SpecNode): string {
  return node.type === "Block" && typeof node.params?.block === "string" ? node.params.block : node.type;
}

export function worst(problems: readonly Problem[]): Problem | undefined {
  return problems.find((problem) => problem.level === "error") ?? problems[0];
}

/** A problem's text where its node is named already: without `conv2 (Conv2d): ` before it. */
export function lean(text: string, { id, type }: SpecNode): string {
  const start = [`${id} (${type}): `, `${id}: `].find((name) => text.startsWith(name));
  if (start === undefined) return text;
  const rest = text.slice(start.length);
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** One node for a screen reader. */
export function nodeLabel(node: SpecNode, facts: NodeFacts | undefined): string {
  const parts = [node.id, node.type === "Block" ? `block ${typeWords(node)}` : node.type];
  if (node.frozen) parts.push("frozen");
  if (facts?.output) parts.push(`output ${shapeWords(facts.output)}`);
  if (facts) parts.push(parameterWords(facts.parameters));
  for (const problem of facts?.problems ?? []) parts.push(`${problem.level}: ${problem.text}`);
  return parts.join(", ");
}

/** What of a description a listener must know. */
export function problemWords(description: Description): string {
  const errors = problemsOf(description).filter((problem) => problem.level === "error");
  const first = errors[0];
  if (!first) return "";
  const where = first.node ? ` at ${first.node}` : "";
  return `${errors.length === 1 ? "1 problem" : `${errors.length} problems`}${where}: ${first.text}`;
}

/** All problems, each once, each with the node where it stands. */
export function problemsOf(description: Description | undefined): Problem[] {
  if (!description) return [];
  const found: Problem[] = [];
  for (const [node, facts] of Object.entries(description.nodes))
    for (const problem of facts.problems ?? []) found.push({ ...problem, node });
  const known = new Set(found.map((problem) => problem.text));
  for (const problem of description.problems) if (!known.has(problem.text)) found.push(problem);
  return found.sort((one, other) => Number(one.level === "warning") - Number(other.level === "warning"));
}
