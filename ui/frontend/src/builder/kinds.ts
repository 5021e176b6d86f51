/** All that can be added: the layers, and the blocks of the network itself. */
import type { LayerType } from "./api";
import { uses } from "./blocks";
import { blockName } from "./clip";
import { openName, type Inside } from "./inside";
import { BLOCK } from "./editing";
import type { Spec } from "./spec";

export const OWN_BLOCKS = "Blocks of this network";

/** What stands in the palette; a block that is open cannot hold itself. */
export function kinds(layers: readonly LayerType[], whole: Spec, inside: Inside): LayerType[] {
  const open = openName(whole, inside);
  const own = Object.entries(whole.blocks ?? {}).filter(([name]) => name !== open && !holds(whole, name, open));
  return [
    ...own.map(([name, block]): LayerType => {
      const times = uses(whole, name);
      const layersIn = block.nodes.filter((node) => node.type !== "Input").length;
      const inputs = block.nodes.length - layersIn;
      return {
        type: BLOCK + name,
        category: OWN_BLOCKS,
        help: `${layersIn === 1 ? "1 layer" : `${layersIn} layers`}, used ${times === 1 ? "once" : `${times} times`}.`,
        inputs: [inputs, inputs],
        fields: [],
      };
    }),
    ...layers.filter((layer) => layer.type !== "Block"),
  ];
}

/** What the palette writes for a kind. */
export function kindWords(type: string): string {
  return type.startsWith(BLOCK) ? type.slice(BLOCK.length) : type;
}

/** Whether a block uses another, itself or through its own blocks. */
function holds(whole: Spec, name: string, wanted: string | undefined, seen = new Set<string>()): boolean {
  if (wanted === undefined || seen.has(name)) return false;
  seen.add(name);
  return (whole.blocks?.[name]?.nodes ?? []).some((node) => {
    const inner = blockName(node);
    return inner !== undefined && (inner === wanted || holds(whole, inner, wanted, seen));
  });
}
