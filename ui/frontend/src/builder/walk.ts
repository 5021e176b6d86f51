/** Where the arrow keys lead. */
import { incoming, nodeOf, outgoing, type Spec } from "./spec";

/** The neighbour of a node in a direction of the keyboard. */
export function neighbour(spec: Spec, id: string, way: "before" | "after" | "beside+" | "beside-"): string | undefined {
  if (!nodeOf(spec, id)) return undefined;
  if (way === "before") return incoming(spec, id)[0]?.source;
  if (way === "after") return outgoing(spec, id)[0]?.target;
  const parents = incoming(spec, id).map((link) => link.source);
  const children = outgoing(spec, id).map((link) => link.target);
  const beside = parents.length
    ? parents.flatMap((parent) => outgoing(spec, parent).map((link) => link.target))
    : children.flatMap((child) => incoming(spec, child).map((link) => link.source));
  const ring = [...new Set(beside)];
  if (ring.length < 2) return undefined;
  const at = ring.indexOf(id);
  return ring[(at + (way === "beside+" ? 1 : ring.length - 1)) % ring.length];
}
