/** The builder without its pictures: the network, its history, what is chosen, what the server says. */
import type { Send } from "../shared/mount";
import { Refused, type Fix, type LayerType, type NodeFacts } from "./api";
import * as edits from "./edits";
import { History } from "./history";
import { freshStart } from "./start";
import { EMPTY, incoming, isRecord, names, outgoing, readSpec, Refusal, type Spec } from "./spec";
import type { BuilderData, State } from "./state";
import { Talk } from "./talk";

/** Quiet time before the page is told of an edit [ms]. */
const SEND_AFTER = 300;
const NOTICE_FOR = 8000; // [ms]

/** What was copied last, kept across canvases of one page. */
let clipboard: edits.Fragment | undefined;

export class Model {
  state: State;
  private history: History;
  private talk: Talk;
  private revision: number;
  private listeners = new Set<() => void>();
  private timers: Partial<Record<"send" | "notice", ReturnType<typeof setTimeout>>> = {};
  private gone = false;

  constructor(data: BuilderData, private readonly send: Send) {
    const [spec, notice] = readKindly(data.spec);
    this.history = new History(spec);
    this.revision = data.revision ?? 0;
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
    this.talk = new Talk(data.api ?? `${location.origin}/api`, this);
    void this.talk.refresh();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes what the page says; what it merely repeats of our own edits is passed over. */
  update(data: BuilderData): void {
    if ((data.readonly ?? false) !== this.state.readonly) this.set({ readonly: data.readonly ?? false });
    if (data.height !== undefined && data.height !== this.state.height) this.set({ height: data.height });
    if (data.api !== undefined) this.talk.moveTo(data.api);
    if (data.revision === undefined || data.revision <= this.revision) return;
    this.revision = data.revision;
    clearTimeout(this.timers.send);
    delete this.timers.send;
    const [spec, notice] = readKindly(data.spec);
    this.history = new History(spec);
    this.set({ spec, notice, selection: new Set(), edge: undefined, shown: this.state.shown + 1, ...this.steps() });
    void this.talk.describe();
  }

  destroy(): void {
    this.gone = true;
    if (this.timers.send !== undefined) this.tell();
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.talk.end();
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
    if (!this.talk.knows(this.state.spec)) return this.note("The network is still being checked; try again in a moment.");
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
      this.load(await this.talk.template(name), `open ${title}`);
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
    void this.talk.writeCode();
  }

  fetchTemplates(): Promise<void> {
    return this.talk.fetchTemplates();
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
    void this.talk.describe();
    void this.talk.writeCode();
  }

  private tell(): void {
    clearTimeout(this.timers.send);
    delete this.timers.send;
    this.send({ spec: this.history.spec, revision: this.revision });
  }

  private steps(): Pick<State, "canUndo" | "canRedo"> {
    return { canUndo: this.history.canUndo, canRedo: this.history.canRedo };
  }

  set(changes: Partial<State>): void {
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
