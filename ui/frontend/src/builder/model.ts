/** The builder without its pictures: the network, its history, what is chosen, what the server says. */
import type { Send } from "../shared/mount";
import { Api, Refused, type Description, type Fix, type LayerType, type NodeFacts, type Template } from "./api";
import * as edits from "./edits";
import { History } from "./history";
import { freshStart } from "./start";
import { EMPTY, incoming, isRecord, names, nodeOf, outgoing, readSpec, Refusal, structure, type Spec } from "./spec";
import { problemWords } from "./words";

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

/** Quiet time before the page is told of an edit [ms]. */
const SEND_AFTER = 300;
const RETRY_AFTER = 3000; // [ms]
const NOTICE_FOR = 8000; // [ms]

/** What was copied last, kept across canvases of one page. */
let clipboard: edits.Fragment | undefined;

export class Model {
  state: State;
  private history: History;
  private api: Api;
  private apiBase: string;
  private revision: number;
  private listeners = new Set<() => void>();
  private asking: AbortController | undefined;
  private askingCode: AbortController | undefined;
  private described = "";
  private codeOf = "";
  private timers: Partial<Record<"send" | "retry" | "notice", ReturnType<typeof setTimeout>>> = {};
  private gone = false;

  constructor(data: BuilderData, private readonly send: Send) {
    const [spec, notice] = readKindly(data.spec);
    this.history = new History(spec);
    this.revision = data.revision ?? 0;
    this.apiBase = data.api ?? `${location.origin}/api`;
    this.api = new Api(this.apiBase);
    this.state = {
      spec,
      selection: new Set(),
      edge: undefined,
      description: undefined,
      layers: [],
      templates: [],
      code: undefined,
      codeOpen: false,
      online: true,
      refused: "",
      said: "",
      notice,
      readonly: data.readonly ?? false,
      height: data.height ?? 640,
      shown: 0,
      canUndo: false,
      canRedo: false,
    };
    void this.refresh();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes what the page says; what it merely repeats of our own edits is passed over. */
  update(data: BuilderData): void {
    if ((data.readonly ?? false) !== this.state.readonly) this.set({ readonly: data.readonly ?? false });
    if (data.height !== undefined && data.height !== this.state.height) this.set({ height: data.height });
    if (data.api !== undefined && data.api !== this.apiBase) {
      this.apiBase = data.api;
      this.api = new Api(data.api);
      this.described = "";
      void this.refresh();
    }
    if (data.revision === undefined || data.revision <= this.revision) return;
    this.revision = data.revision;
    clearTimeout(this.timers.send);
    const [spec, notice] = readKindly(data.spec);
    this.history = new History(spec);
    this.set({ spec, notice, selection: new Set(), edge: undefined, shown: this.state.shown + 1, ...this.steps() });
    void this.describe();
  }

  destroy(): void {
    this.gone = true;
    if (this.timers.send !== undefined) this.tell();
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.asking?.abort();
    this.askingCode?.abort();
    this.listeners.clear();
  }

  // What is known

  layer(type: string | undefined): LayerType | undefined {
    return this.state.layers.find((layer) => layer.type === type);
  }

  facts(id: string): NodeFacts | undefined {
    return this.state.description?.nodes[id];
  }

  arity: edits.ArityOf = (type) => this.layer(type)?.inputs ?? [0, null];

  /** The one chosen node, if it is just one. */
  get chosen(): string | undefined {
    const [only, ...more] = this.state.selection;
    return more.length ? undefined : only;
  }

  // Edits

  insertOnEdge(index: number, type: string): void {
    this.grow(`insert ${type}`, (spec) => edits.insertOnEdge(spec, index, type, this.start(type), this.arity));
  }

  /** Puts a new layer behind the chosen one, or at the end of the network. */
  append(type: string, branch = false): void {
    this.grow(`add ${type}`, (spec) => {
      const after = this.chosen ?? edits.tail(spec);
      if (after === undefined) return edits.add(spec, type, this.start(type));
      return edits.append(spec, after, type, this.start(type), { branch, arity: this.arity });
    });
  }

  /** Puts a new layer where it was dropped, joined to nothing. */
  addAt(type: string, position: readonly [number, number], places: ReadonlyMap<string, readonly [number, number]>): void {
    this.grow(`add ${type}`, (spec) => edits.add(edits.place(spec, places), type, this.start(type), position));
  }

  removeSelection(): void {
    const { selection, edge, spec } = this.state;
    if (edge !== undefined) {
      const [source, target] = spec.edges[edge] ?? ["", ""];
      this.change(`disconnect ${source} from ${target}`, (old) => edits.disconnect(old, edge, this.arity), { edge: undefined });
      return;
    }
    if (selection.size === 0) return;
    const [first] = selection;
    const next = incoming(spec, first as string)[0]?.source ?? outgoing(spec, first as string)[0]?.target;
    const left = next !== undefined && !selection.has(next) ? [next] : [];
    this.change(`delete ${[...selection].join(", ")}`, (old) => edits.remove(old, selection), { selection: new Set(left) });
  }

  duplicateSelection(): void {
    const { selection } = this.state;
    if (selection.size) this.grow(`duplicate ${[...selection].join(", ")}`, (spec) => edits.duplicate(spec, selection, this.arity));
  }

  copySelection(): void {
    const { selection, spec } = this.state;
    if (selection.size === 0) return;
    clipboard = edits.copy(spec, selection);
    this.say(`Copied ${[...selection].join(", ")}`);
  }

  paste(): void {
    const fragment = clipboard;
    if (!fragment) return this.note("Nothing has been copied yet.");
    const after = this.state.selection.size ? [...this.state.selection].at(-1) : undefined;
    this.grow("paste", (spec) => edits.paste(spec, fragment, after, this.arity));
  }

  connect(source: string, target: string, port?: number): void {
    this.change(`connect ${source} to ${target}`, (spec) => edits.connect(spec, source, target, port, this.arity));
  }

  reconnect(index: number, source: string, target: string, port?: number): void {
    this.change(`connect ${source} to ${target}`, (spec) => edits.reconnect(spec, index, source, target, port, this.arity), { edge: undefined });
  }

  setParam(id: string, name: string, value: unknown): void {
    this.change(`set ${name} of ${id}`, (spec) => edits.setParam(spec, id, name, value), {}, `${id}.${name}`);
  }

  rename(id: string, name: string): boolean {
    const selection = new Set([...this.state.selection].map((chosen) => (chosen === id ? name : chosen)));
    return this.change(`rename ${id} to ${name}`, (spec) => edits.rename(spec, id, name), { selection });
  }

  toggleOutput(id: string): void {
    this.change(`change the outputs`, (spec) => edits.toggleOutput(spec, id));
  }

  move(places: ReadonlyMap<string, readonly [number, number]>): void {
    this.change("move", (spec) => edits.place(spec, places));
  }

  /** Lets the canvas arrange the nodes by itself. */
  arrange(): void {
    const placed = this.state.spec.nodes.some((node) => node.position);
    if (placed) this.change("arrange", edits.unplace);
    this.set({ shown: this.state.shown + 1 });
  }

  applyFix(fix: Fix): void {
    if (structure(this.state.spec) !== this.described) return this.note("The network is still being checked; try again in a moment.");
    const before = this.state.spec;
    this.change(fix.text, () => {
      const repaired = readSpec(fix.spec);
      const places = new Map(before.nodes.flatMap((node) => (node.position ? [[node.id, node.position] as const] : [])));
      return edits.place(repaired, places);
    });
  }

  /** Puts another network in the place of this one; a step that can be taken back. */
  load(source: unknown, words: string): boolean {
    const done = this.change(words, () => readSpec(source), { selection: new Set(), edge: undefined });
    if (done) this.set({ shown: this.state.shown + 1 });
    return done;
  }

  async loadTemplate(name: string, title: string): Promise<void> {
    try {
      this.load(await this.api.template(name), `open ${title}`);
    } catch (error) {
      this.note(error instanceof Refused || error instanceof Refusal ? error.message : `${title} could not be fetched: the server does not answer.`);
    }
  }

  undo(): void {
    const words = this.state.readonly ? undefined : this.history.undo();
    if (words === undefined) return this.say("Nothing to undo");
    this.arrived(`Undone: ${words}`);
  }

  redo(): void {
    const words = this.state.readonly ? undefined : this.history.redo();
    if (words === undefined) return this.say("Nothing to redo");
    this.arrived(`Done again: ${words}`);
  }

  // Choosing

  select(ids: Iterable<string>): void {
    this.set({ selection: new Set(ids), edge: undefined });
  }

  selectEdge(index: number | undefined): void {
    this.set({ selection: new Set(), edge: index });
  }

  say(said: string): void {
    // A listener hears the same words twice only if they differ.
    this.set({ said: said === this.state.said ? `${said}\u00a0` : said });
  }

  /** Says what could not be done, in sight. */
  note(notice: string): void {
    this.set({ notice, said: notice });
    clearTimeout(this.timers.notice);
    this.timers.notice = setTimeout(() => this.set({ notice: "" }), NOTICE_FOR);
  }

  toggleCode(): void {
    this.set({ codeOpen: !this.state.codeOpen });
    void this.writeCode();
  }

  async fetchTemplates(): Promise<void> {
    if (this.state.templates.length) return;
    await this.asked(async () => this.set({ templates: await this.api.templates() }));
  }

  // Within

  private start(type: string): Readonly<Record<string, unknown>> {
    return freshStart(type, this.layer(type), this.state.spec);
  }

  private grow(words: string, edit: (spec: Spec) => edits.Added): void {
    let added: readonly string[] = [];
    const done = this.change(words, (spec) => {
      const grown = edit(spec);
      added = grown.added;
      return grown.spec;
    });
    if (done) this.set({ selection: new Set(added), edge: undefined });
  }

  private change(words: string, edit: (spec: Spec) => Spec, also: Partial<State> = {}, thing?: string): boolean {
    if (this.state.readonly) {
      this.note("This network can only be looked at here.");
      return false;
    }
    try {
      const before = this.history.spec;
      const spec = edit(before);
      if (JSON.stringify(spec) === JSON.stringify(before)) return true;
      this.history.push(spec, words, thing);
      this.arrived(words, also);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.note(error.message);
      return false;
    }
  }

  private arrived(words: string, also: Partial<State> = {}): void {
    const { spec } = this.history;
    const there = names(spec);
    const selection = new Set([...(also.selection ?? this.state.selection)].filter((id) => there.has(id)));
    const edge = this.state.edge !== undefined && this.state.edge < spec.edges.length ? this.state.edge : undefined;
    this.set({ edge, ...also, spec, selection, notice: "", said: capital(words), ...this.steps() });
    this.revision += 1;
    clearTimeout(this.timers.send);
    this.timers.send = setTimeout(() => this.tell(), SEND_AFTER);
    void this.describe();
    void this.writeCode();
  }

  private tell(): void {
    clearTimeout(this.timers.send);
    delete this.timers.send;
    this.send({ spec: this.history.spec, revision: this.revision });
  }

  private async refresh(): Promise<void> {
    await Promise.all([
      this.describe(),
      this.state.layers.length ? undefined : this.asked(async () => this.set({ layers: await this.api.layers() })),
    ]);
  }

  private async describe(): Promise<void> {
    const spec = this.state.spec;
    const wanted = structure(spec);
    // Also what is asked already is no longer wanted, if a step back led to what is known.
    this.asking?.abort();
    if (wanted === this.described) return;
    const asking = new AbortController();
    this.asking = asking;
    await this.asked(async () => {
      try {
        const description = await this.api.describe(spec, asking.signal);
        if (asking.signal.aborted) return;
        this.described = wanted;
        const troubled = problemWords(description);
        const wasTroubled = this.state.description && problemWords(this.state.description);
        this.set({ description, refused: "" });
        if (troubled !== wasTroubled && (troubled || wasTroubled)) this.say(troubled || "All problems are solved.");
      } catch (error) {
        if (asking.signal.aborted) return;
        if (!(error instanceof Refused)) throw error;
        this.described = wanted;
        this.set({ refused: error.message, said: error.message });
      }
    });
    if (wanted === this.described) void this.writeCode();
  }

  private async writeCode(): Promise<void> {
    const spec = this.state.spec;
    const wanted = structure(spec);
    this.askingCode?.abort();
    if (!this.state.codeOpen || wanted === this.codeOf) return;
    const asking = new AbortController();
    this.askingCode = asking;
    await this.asked(async () => {
      try {
        const code = await this.api.code(spec, asking.signal);
        if (asking.signal.aborted) return;
        this.codeOf = wanted;
        this.set({ code });
      } catch (error) {
        if (asking.signal.aborted) return;
        if (!(error instanceof Refused)) throw error;
        this.codeOf = wanted;
        this.set({ code: `# ${error.message.replaceAll("\n", "\n# ")}\n` });
      }
    });
  }

  /** Notes whether the server answers; if not, tries again in a while. */
  private async asked(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      if (!this.state.online) this.set({ online: true, said: "The server answers again." });
    } catch {
      if (this.gone) return;
      if (this.state.online) this.set({ online: false, said: "The server does not answer; edits are kept." });
      clearTimeout(this.timers.retry);
      this.timers.retry = setTimeout(() => {
        void this.refresh();
        void this.writeCode();
      }, RETRY_AFTER);
    }
  }

  private steps(): Pick<State, "canUndo" | "canRedo"> {
    return { canUndo: this.history.canUndo, canRedo: this.history.canRedo };
  }

  private set(changes: Partial<State>): void {
    if (this.gone) return;
    this.state = { ...this.state, ...changes };
    for (const listener of this.listeners) listener();
  }
}

function readKindly(source: unknown): [Spec, string] {
  if (source === undefined || source === null || (isRecord(source) && !source.nodes)) return [EMPTY, ""];
  try {
    return [readSpec(source), ""];
  } catch (error) {
    return [EMPTY, `The network could not be shown: ${(error as Error).message}`];
  }
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

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
