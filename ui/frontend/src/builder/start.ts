/** The values a new layer begins with, where its form demands some. */
import type { Field, LayerType } from "./api";
import type { Spec } from "./spec";

/** Like the last layer of its type in the network; else something small that works. */
export function freshStart(type: string, layer: LayerType | undefined, spec: Spec): Readonly<Record<string, unknown>> {
  const like = spec.nodes.findLast((node) => node.type === type)?.params ?? {};
  const params: Record<string, unknown> = {};
  for (const field of layer?.fields ?? []) {
    if (!field.required) continue;
    params[field.name] = field.name in like ? like[field.name] : guess(field, type);
  }
  if (type === "Input") params.shape = like.shape ?? [1, 28, 28];
  return params;
}

function guess(field: Field, type: string): unknown {
  if (field.default !== null && field.default !== undefined) return field.default;
  if (field.kind === "toggle") return false;
  if (field.kind === "choice") return field.options?.[0];
  if (field.kind === "text") return "";
  const wanted = wantedNumber(field.name, type);
  const number = Math.min(Math.max(wanted, field.low ?? wanted), field.high ?? wanted);
  return field.kind === "integers" && /shape|order|size$|padding/.test(field.name) && !/kernel/.test(field.name) ? listGuess(field) : number;
}

function listGuess(field: Field): number[] {
  if (field.name === "padding") return [1, 1, 1, 1];
  if (field.name === "order") return [1, 0, 2];
  return [-1];
}

function wantedNumber(name: string, type: string): number {
  if (name.includes("kernel")) return type.includes("Pool") ? 2 : 3;
  if (name.includes("channels")) return 16;
  if (name.includes("features") || name.includes("dim")) return 64;
  if (name.includes("embeddings")) return 128;
  if (name.includes("heads")) return 4;
  return name.includes("groups") ? 1 : 8;
}
