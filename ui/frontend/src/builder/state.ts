/** What the builder knows at a moment, and what its page tells it. */
import type { Description, LayerType, Template } from "./api";
import type { Spec } from "./spec";

export interface BuilderData {
  readonly spec?: unknown;
  readonly revision?: number;
  /** Where the API is. */
  readonly api?: string;
  readonly readonly?: boolean;
  /** Height of the canvas [px]. */
  readonly height?: number;
}

export interface State {
  readonly spec: Spec;
  readonly selection: ReadonlySet<string>;
  /** The chosen edge's place in the spec. */
  readonly edge: number | undefined;
  readonly description: Description | undefined;
  readonly layers: readonly LayerType[];
  readonly templates: readonly Template[];
  readonly code: string | undefined;
  readonly codeOpen: boolean;
  readonly online: boolean;
  /** What the server refused about the whole network. */
  readonly refused: string;
  /** What was just done, for the live region. */
  readonly said: string;
  /** What could not be done, shown for a while. */
  readonly notice: string;
  readonly readonly: boolean;
  readonly height: number;
  /** Counts up when the canvas must show all of a new network. */
  readonly shown: number;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}
