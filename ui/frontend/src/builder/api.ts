/** What the server knows of layers and networks, asked over HTTP. */
import { isRecord, readSpec, type Spec } from "./spec";

export type Shape = readonly (number | string)[];

export interface Field {
  readonly name: string;
  readonly kind: "integer" | "number" | "choice" | "toggle" | "text" | "integers";
  readonly default?: unknown;
  readonly low?: number | null;
  readonly high?: number | null;
  readonly options?: readonly unknown[] | null;
  readonly help?: string | null;
  readonly required?: boolean;
  readonly optional?: boolean;
}

export interface LayerType {
  readonly type: string;
  readonly category: string;
  readonly help: string;
  readonly source?: string | null;
  readonly inputs: readonly [number, number | null];
  readonly fields: readonly Field[];
}

export interface Fix {
  readonly text: string;
  readonly spec: Spec;
}

export interface Problem {
  readonly level: "error" | "warning";
  readonly text: string;
  readonly node?: string | null;
  readonly fixes?: readonly Fix[];
}

export interface NodeFacts {
  readonly inputs: readonly (Shape | null)[];
  readonly output: Shape | null;
  /** All outputs, where there are several. */
  readonly outputs?: readonly (Shape | null)[];
  readonly parameters: number;
  readonly flops: number;
  readonly memory: number;
  readonly receptive_field?: number | readonly number[] | null;
  readonly code?: string | null;
  readonly problems: readonly Problem[];
}

export interface Description {
  readonly nodes: Readonly<Record<string, NodeFacts>>;
  /** The layers within blocks, by path: `layer2.0.conv1`. */
  readonly inside?: Readonly<Record<string, Omit<NodeFacts, "problems">>>;
  readonly edges: readonly { readonly source: string; readonly target: string; readonly shape: Shape | null }[];
  readonly problems: readonly Problem[];
  readonly totals: {
    readonly parameters: number;
    readonly flops: number;
    readonly memory: number;
    readonly receptive_field?: number | readonly number[] | null;
  };
}

export interface Template {
  readonly name: string;
  readonly title: string;
  readonly family: string;
  readonly parameters?: number | null;
  readonly trainable?: boolean;
  readonly help?: string;
}

/** What one batch takes [s]. */
export interface Timed {
  readonly batch: number;
  readonly forward: number;
  readonly backward: number;
}

export interface Brought {
  readonly spec: Spec;
  readonly run?: string;
  readonly notes: readonly string[];
}

export interface WeightsWanted {
  readonly spec: Spec;
  /** The layer's path from the top. */
  readonly node: string;
  readonly run?: string;
  readonly name?: string;
  readonly seed?: number;
  /** First row and column, rows and columns, in cells of the whole. */
  readonly window?: readonly [number, number, number, number];
}

/** A weight as a matrix of numbers, whole or a part of it; see docs/architecture.md. */
export interface Weights {
  readonly node: string;
  readonly type: string;
  readonly name: string;
  readonly names: Readonly<Record<string, readonly number[]>>;
  readonly shape: readonly number[];
  readonly axes: number;
  /** Rows and columns of one filter's tile. */
  readonly tile: readonly [number, number];
  readonly rows: number;
  readonly columns: number;
  readonly top: number;
  readonly left: number;
  readonly step: readonly [number, number];
  readonly grid: readonly [number, number];
  readonly values: readonly (readonly number[])[];
  readonly low: number;
  readonly high: number;
  readonly frozen: boolean;
  readonly cut: readonly (readonly [number, number])[];
  /** Whether these are first values and not trained ones. */
  readonly first: boolean;
}

/** The server did not answer, or not with what was asked for. */
export class Unreachable extends Error {}

/** The server answered that the request itself is wrong; its words are for the visitor. */
export class Refused extends Error {
  constructor(
    message: string,
    /** The line of the source that it speaks of. */
    readonly line?: number | null,
  ) {
    super(message);
  }
}

const PATIENCE = 10_000; // [ms]
const LONG_PATIENCE = 90_000; // [ms] where the server itself has to work

export class Api {
  constructor(private readonly base: string) {}

  async layers(): Promise<LayerType[]> {
    return listed<LayerType>(await this.get("layers"), "layers");
  }

  async templates(): Promise<Template[]> {
    return listed<Template>(await this.get("templates"), "templates");
  }

  async template(name: string): Promise<Spec> {
    const answer = await this.get(`templates/${encodeURIComponent(name)}`);
    return readSpec(isRecord(answer) && isRecord(answer.spec) ? answer.spec : answer);
  }

  async describe(spec: Spec, signal: AbortSignal): Promise<Description> {
    const answer = await this.ask("describe", { method: "POST", body: JSON.stringify(spec) }, signal);
    if (!isRecord(answer) || !isRecord(answer.nodes)) throw new Unreachable("describe: not a description");
    return { edges: [], problems: [], totals: { parameters: 0, flops: 0, memory: 0 }, ...answer } as unknown as Description;
  }

  async code(spec: Spec, signal: AbortSignal): Promise<string> {
    const answer = await this.ask("code", { method: "POST", body: JSON.stringify(spec) }, signal);
    if (!isRecord(answer) || typeof answer.script !== "string") throw new Unreachable("code: no script");
    return answer.script;
  }

  /** The network that a PyTorch source describes. */
  async read(source: string, spec: Spec, signal: AbortSignal): Promise<Spec> {
    const answer = await this.ask("read", { method: "POST", body: JSON.stringify({ source, spec }) }, signal);
    if (!isRecord(answer)) throw new Unreachable("read: no network");
    return readSpec(answer.spec);
  }

  /** The network in a file, with the kept model that its weights became. */
  async bring(name: string, content: string, spec: Spec, data: string): Promise<Brought> {
    const body = JSON.stringify({ name, content, spec, ...(data ? { data } : {}) });
    const answer = await this.ask("import", { method: "POST", body }, undefined, LONG_PATIENCE);
    if (!isRecord(answer)) throw new Unreachable("import: no network");
    const notes = Array.isArray(answer.notes) ? answer.notes.map(String) : [];
    return { spec: readSpec(answer.spec), notes, ...(typeof answer.run === "string" && answer.run ? { run: answer.run } : {}) };
  }

  async weights(wanted: WeightsWanted, signal: AbortSignal): Promise<Weights> {
    const answer = await this.ask("weights", { method: "POST", body: JSON.stringify(wanted) }, signal, LONG_PATIENCE);
    if (!isRecord(answer) || !Array.isArray(answer.values)) throw new Unreachable("weights: no values");
    return answer as unknown as Weights;
  }

  async editWeight(run: string, node: string, name: string, index: readonly number[], value: number): Promise<void> {
    await this.ask("weights/edit", { method: "POST", body: JSON.stringify({ run, node, name, index, value }) });
  }

  /** Shortest times of a forward and of a backward pass; may take a while. */
  async timing(spec: Spec, batch: number): Promise<Timed> {
    return (await this.ask("timing", { method: "POST", body: JSON.stringify({ spec, batch }) }, undefined, LONG_PATIENCE)) as Timed;
  }

  private get(path: string): Promise<unknown> {
    return this.ask(path, {});
  }

  private async ask(path: string, request: RequestInit, signal?: AbortSignal, patience = PATIENCE): Promise<unknown> {
    const limit = AbortSignal.timeout(patience);
    const signals = signal ? AbortSignal.any([signal, limit]) : limit;
    const headers = request.body ? { "content-type": "application/json" } : {};
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(`${this.base.replace(/\/$/, "")}/${path}`, { ...request, headers, signal: signals });
      answer = await response.json();
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Unreachable(`${path}: ${(error as Error).message}`);
    }
    if (response.ok) return answer;
    // A proxy's 404 has no words of ours: then it is the server that is missing.
    if (response.status >= 400 && response.status < 500 && complaint(answer)) throw new Refused(complaint(answer), isRecord(answer) && typeof answer.line === "number" ? answer.line : undefined);
    throw new Unreachable(`${path}: ${response.status}`);
  }
}

/** The words in an error answer: our `{"error": "..."}`, or FastAPI's list of details. */
function complaint(answer: unknown): string {
  if (!isRecord(answer)) return "";
  if (typeof answer.error === "string") return answer.error;
  const first: unknown = Array.isArray(answer.detail) ? answer.detail[0] : undefined;
  return isRecord(first) && typeof first.msg === "string" ? first.msg : "";
}

function listed<Item>(answer: unknown, name: string): Item[] {
  const found = isRecord(answer) ? answer[name] : answer;
  if (!Array.isArray(found)) throw new Unreachable(`${name}: not a list`);
  return found as Item[];
}
