/** Every kind of view there is. */
import type { View } from "../data";
import { arrows } from "./arrows";
import { attention } from "./attention";
import { bars } from "./bars";
import { curve } from "./curve";
import { field } from "./field";
import { graph } from "./graph";
import { heads } from "./heads";
import { histogram } from "./histogram";
import type { Kind } from "./kind";
import { matrix } from "./matrix";
import { neurons } from "./neurons";
import { note } from "./note";
import { patches } from "./patches";
import { parallel } from "./parallel";
import { points } from "./points";
import { products } from "./products";
import { sound } from "./sound";
import { surface } from "./surface";
import { table } from "./table";
import { tiles } from "./tiles";
import { timeline } from "./timeline";
import { tokens } from "./tokens";

/** The type checker refuses this table when a kind of view is missing. */
export const KINDS: { [K in View["kind"]]: Kind<Extract<View, { kind: K }>> } = {
  Curve: curve,
  Points: points,
  Field: field,
  Bars: bars,
  Histogram: histogram,
  Matrix: matrix,
  Tiles: tiles,
  Tokens: tokens,
  Attention: attention,
  Heads: heads,
  Products: products,
  Patches: patches,
  Graph: graph,
  Neurons: neurons,
  Parallel: parallel,
  Surface: surface,
  Arrows: arrows,
  Table: table,
  Timeline: timeline,
  Sound: sound,
  Note: note,
};

/** The kind of a view. A page older than the server may not know it: then there is none. */
export function kindOf(view: View): Kind<View> | undefined {
  // The table pairs each name with its own view type; indexing by a union loses that pairing.
  return KINDS[view.kind] as Kind<View> | undefined;
}
