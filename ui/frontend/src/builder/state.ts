/** What the builder knows at a moment, and what its page tells it. */
import type { Description, LayerType, Template } from "./api";
import type { Inside } from "./inside";
import type { Spec } from "./spec";

export interface BuilderData {
  readonly spec?: unknown;
  readonly revision?: number;
  /** Where the API is. */
  readonly api?: string;
  readonly readonly?: boolean;
  /** The run that trained this very network. */
  readonly run?: string;
  /** Name of the data set that imported weights are judged on. */
  readonly dataset?: string;
  /** Height of the canvas [px]. */
  readonly height?: number;
}

export interface State {
  /** The whole network. */
  readonly whole: Spec;
  /** The block nodes that were opened, outermost first. */
  readonly inside: Inside;
  /** The graph on the canvas: the whole network, or the block that is open. */
  readonly spec: Spec;
  readonly selection: ReadonlySet<string>;
  /** The chosen edge's place in the spec. */
  readonly edge: number | undefined;
  /** What the server said of the whole network. */
  readonly told: Description | undefined;
  /** What of that is true of the graph on the canvas. */
  readonly description: Description | undefined;
  readonly layers: readonly LayerType[];
  readonly templates: readonly Template[];
  readonly code: string | undefined;
  readonly codeOpen: boolean;
  /** The run that trained a network, and which network that was. */
  readonly weightsRun: { readonly id: string; readonly of: string } | undefined;
  readonly online: boolean;
  /** What the server refused about the whole network. */
  readonly refused: string;
  /** What was just done, for the live region. */
  readonly said: string;
  /** What could not be done, shown for a while. */
  readonly notice: string;
  /** The name of the file that is being read, if one is. */
  readonly importing: string;
  /** What was noted on the way of the last file in. */
  readonly notes: readonly string[];
  readonly readonly: boolean;
  /** Whether dragging on the ground draws a frame instead of moving it. */
  readonly framing: boolean;
  readonly height: number;
  /** Counts up when the canvas must show all of a new network. */
  readonly shown: number;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}
