/** What travels over the socket: `engine/views.py` and docs/architecture.md, word for word. */
import type { Scale } from "../shared/palette";

export type { Scale };

/** Numbers with a shape, last axis fastest. */
export interface Numbers {
  shape: number[];
  data: Float32Array | Int32Array;
}

export type Extent = [left: number, right: number, bottom: number, top: number];
export type Named<T> = Record<string, T>;

interface Titled {
  title: string;
}
interface Labelled extends Titled {
  xlabel: string;
  ylabel: string;
}

export interface Curve extends Labelled {
  kind: "Curve";
  x: Numbers;
  lines: Named<Numbers>;
  log: boolean;
  logx: boolean;
  marks: Named<number>;
  dots: boolean;
}
export interface Points extends Labelled {
  kind: "Points";
  xy: Numbers;
  labels: Numbers;
  names: string[];
  lines: Named<Numbers>;
  extent: Extent | null;
  equal: boolean;
  behind?: boolean;
}
export interface Field extends Labelled {
  kind: "Field";
  values: Numbers;
  extent: Extent;
  paths: Named<Numbers>;
  points: Points | null;
  scale: Scale;
  contours: boolean;
}
export interface Bars extends Labelled {
  kind: "Bars";
  names: string[];
  series: Named<Numbers>;
  log: boolean;
  level: Named<number>;
}
export interface Histogram extends Labelled {
  kind: "Histogram";
  edges: Numbers;
  counts: Named<Numbers>;
  curve: Named<Numbers>;
  log: boolean;
}
export interface Matrix extends Labelled {
  kind: "Matrix";
  values: Numbers;
  rows: string[];
  columns: string[];
  scale: Scale;
  numbers: boolean;
  highlight: [row: number, column: number][];
  /** What each cell says instead of its number; empty for nothing. */
  words?: string[][];
}
export interface Tiles extends Titled {
  kind: "Tiles";
  images: Numbers;
  captions: string[];
  scale: Scale;
  shared: boolean;
  across: number;
  /** Index of a tile (JSON knows only words as keys) -> why it is framed. */
  marks: Named<string>;
}
export interface Tokens extends Titled {
  kind: "Tokens";
  tokens: string[];
  weights: Numbers;
  links: Numbers;
  /** Which row of tokens this is; see `Attention`. */
  row?: string;
}
/** Names of the row of tokens that looks and of the one that is looked at. */
export type Axes = [looking: string, lookedAt: string];
export interface Attention extends Titled {
  kind: "Attention";
  weights: Numbers;
  rows: string[];
  columns: string[];
  axes: Axes;
  drawn: "lines" | "matrix";
  place: number;
  scale: Scale;
}
export interface Heads extends Titled {
  kind: "Heads";
  maps: Numbers;
  layers: string[];
  across: number;
  picked: number;
  places: [rows: number, columns: number][];
  axes: Axes[];
}
export interface Products extends Titled {
  kind: "Products";
  query: Numbers;
  keys: Numbers;
  scores: Numbers;
  weights: Numbers;
  names: string[];
  places: number[];
  at: string;
  scale: number;
  axes: Axes;
  row: number;
}
export interface Patches extends Titled {
  kind: "Patches";
  image: Numbers;
  weights: Numbers;
  grid: [rows: number, columns: number];
  places: number[];
  extra: Named<number>;
  place: number;
  row: string;
}
export interface Node {
  id: string;
  label: string;
  x: number;
  y: number;
  value: number | null;
  kind: string;
  detail: string;
}
export interface Edge {
  source: string;
  target: string;
  value: number | null;
  label: string;
}
export interface Graph extends Titled {
  kind: "Graph";
  nodes: Node[];
  edges: Edge[];
}
export interface Neurons extends Titled {
  kind: "Neurons";
  maps: Numbers;
  sizes: number[];
  weights: Numbers[];
  names: string[];
  inputs: string[];
  outputs: string[];
}
export interface Parallel extends Titled {
  kind: "Parallel";
  values: Numbers;
  names: string[];
  words: Named<string[]>;
  log: string[];
}
export interface Surface extends Labelled {
  kind: "Surface";
  values: Numbers;
  extent: Extent;
  paths: Named<Numbers>;
  zlabel: string;
}
export interface Arrows extends Labelled {
  kind: "Arrows";
  at: Numbers;
  vectors: Numbers;
  extent: Extent;
  names: string[];
  lines: Named<Numbers>;
  points: Points | null;
}
export interface Table extends Titled {
  kind: "Table";
  columns: string[];
  rows: (string | number | boolean | null)[][];
}
export interface Span {
  lane: string;
  start: number;
  end: number;
  label: string;
  kind: string;
}
export interface Timeline extends Titled {
  kind: "Timeline";
  lanes: string[];
  spans: Span[];
  xlabel: string;
}
export interface Sound extends Titled {
  kind: "Sound";
  samples: Numbers;
  rate: number;
}
export interface Note extends Titled {
  kind: "Note";
  text: string;
  tone: "plain" | "good" | "warning" | "bad";
}

export type View =
  | Curve | Points | Field | Bars | Histogram | Matrix | Tiles | Tokens | Attention | Heads | Products | Patches | Graph | Neurons | Parallel | Surface | Arrows | Table | Timeline
  | Sound | Note;

export type RunState = "queued" | "running" | "paused" | "waiting" | "finished" | "failed" | "stopped";

/** Why a run failed, in words for people. */
export interface Failure {
  message: string;
  resumable: boolean;
}

/** One message's header, its arrays put in their places. */
export interface Message {
  run: string;
  state: RunState;
  place: number | null;
  step: number;
  of: number;
  facts: Named<number | null>;
  waits: boolean;
  version: number;
  failure: Failure | null;
  notice: string | null;
  speed: number | null;
  live: Named<Value>;
  /** Whether it ended early and can go on from a checkpoint. */
  resumable?: boolean;
  /** How many steps make a larger one, such as the rest of an epoch; 0 if there is none. */
  leap?: number;
  views: Named<View | Growth>;
  slots: string[];
}

/** A curve of which only new ends are sent. */
export interface Growth {
  kind: "Curve";
  grow: true;
  x: Numbers;
  lines: Named<Numbers>;
}

/** What a control may hold. */
export type Value = number | string | boolean | number[];

export type Command =
  | { do: "pause" | "resume" | "stop" | "again" }
  | { do: "step"; value?: number }
  | { do: "speed"; value: number | null }
  | { do: "set"; values: Named<Value> };

/** `null` stands for NaN in JSON. */
export function number(value: number | null | undefined): number {
  return value ?? Number.NaN;
}

export const NOTHING: Numbers = { shape: [0], data: new Float32Array(0) };
