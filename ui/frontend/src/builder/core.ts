/** The heart of the builder's model: what is known, how it changes, what is told to the page. */
import type { Send } from "../shared/mount";
import { History } from "./history";
import { described, opened, putBack, stepsThere, type Inside } from "./inside";
import { EMPTY, isRecord, names, readSpec, Refusal, identity, type Spec } from "./spec";
import type { BuilderData, State } from "./state";
import { Talk } from "./talk";

/** Quiet time before the page is told of an edit [ms]. */
const SEND_AFTER = 300;
const NOTICE_FOR = 8000; // [ms]

export class Core {
  state: State;
  protected history: History;
  protected talk: Talk;
  /** The kept model that came in together with a network. */
  protected weightsOf: { readonly spec: Spec; readonly run: string } | undefined;
  protected dataset: string;
  private revision: number;
  private listeners = new Set<() => void>();
  private timers: Partial<Record<"send" | "notice", ReturnType<typeof setTimeout>>> = {};
  private gone = false;

  constructor(data: BuilderData, private readonly send: Send) {
    const [spec, notice] = readKindly(data.spec);
    this.history = new History(spec);
    this.revision = data.revision ?? 0;
    this.dataset = data.dataset ?? "";
    this.state = {
      whole: spec,
      inside: [],
      spec,
      selection: new Set(),
      edge: undefined,
      told: undefined,
      description: undefined,
      layers: [],
      templates: [],
      code: undefined,
      codeOpen: false,
      weightsRun: runOf(data, spec),
      online: true,
      refused: "",
      said: "",
      notice,
      importing: "",
      notes: [],
      readonly: data.readonly ?? false,
      framing: false,
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
    this.dataset = data.dataset ?? this.dataset;
    if (data.api !== undefined) this.talk.moveTo(data.api);
    if (data.run !== undefined && data.run !== (this.state.weightsRun?.id ?? "")) this.set({ weightsRun: runOf(data, readKindly(data.spec)[0]) });
    if (data.revision === undefined || data.revision <= this.revision) return;
    this.revision = data.revision;
    clearTimeout(this.timers.send);
    delete this.timers.send;
    const [whole, notice] = readKindly(data.spec);
    this.history = new History(whole);
    this.set({ whole, inside: [], notice, selection: new Set(), edge: undefined, shown: this.state.shown + 1, ...this.steps() });
    void this.talk.describe();
  }

  destroy(): void {
    this.gone = true;
    if (this.timers.send !== undefined) this.tell();
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
    this.talk.end();
    this.listeners.clear();
  }

  undo(): void {
    const where = this.history.inside;
    const words = this.state.readonly ? undefined : this.history.undo();
    if (words === undefined) return this.say("Nothing to undo");
    this.arrived(`Undone: ${words}`, { inside: where });
  }

  redo(): void {
    const words = this.state.readonly ? undefined : this.history.redo();
    if (words === undefined) return this.say("Nothing to redo");
    this.arrived(`Done again: ${words}`, { inside: this.history.inside });
  }

  select(ids: Iterable<string>): void {
    this.set({ selection: new Set(ids), edge: undefined });
  }

  selectEdge(index: number | undefined): void {
    this.set({ selection: new Set(), edge: index });
  }

  /** Puts another graph of the network on the canvas: one of its blocks, or the whole. */
  goInto(inside: Inside, chosen?: string): void {
    const there = stepsThere(this.state.whole, inside);
    const selection = new Set(chosen === undefined ? [] : [chosen]);
    this.set({ inside: there, selection, edge: undefined, shown: this.state.shown + 1 });
    this.say(there.length ? `Inside ${there.join(", ")}` : "The whole network");
  }

  /** Back to the graph around the open block. */
  goOut(): void {
    const { inside } = this.state;
    if (inside.length) this.goInto(inside.slice(0, -1), inside.at(-1));
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

  set(changes: Partial<State>): void {
    if (this.gone) return;
    this.state = settled(this.state, { ...this.state, ...changes });
    for (const listener of this.listeners) listener();
  }

  /** An edit of the graph on the canvas. */
  protected change(words: string, edit: (spec: Spec) => Spec, also: Partial<State> = {}, thing?: string): boolean {
    const { inside } = this.state;
    return this.changeWhole(words, (whole) => putBack(whole, inside, edit(opened(whole, inside))), also, thing);
  }

  protected changeWhole(words: string, edit: (whole: Spec) => Spec, also: Partial<State> = {}, thing?: string): boolean {
    if (this.state.readonly) {
      this.note("This network can only be looked at here.");
      return false;
    }
    try {
      const before = this.history.spec;
      const spec = edit(before);
      if (JSON.stringify(spec) === JSON.stringify(before)) return true;
      this.history.push(spec, words, thing, Date.now(), this.state.inside);
      this.arrived(words, also);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.note(error.message);
      return false;
    }
  }

  private arrived(words: string, also: Partial<State> = {}): void {
    const whole = this.history.spec;
    const inside = stepsThere(whole, also.inside ?? this.state.inside);
    const moved = inside.join() !== this.state.inside.join();
    const shown = moved ? { shown: this.state.shown + 1 } : {};
    this.set({ ...shown, ...also, inside, whole, notice: "", said: capital(words), ...this.steps() });
    this.revision += 1;
    clearTimeout(this.timers.send);
    this.timers.send = setTimeout(() => this.tell(), SEND_AFTER);
    void this.talk.describe();
    void this.talk.writeCode();
  }

  /** Tells the page at once. */
  protected announce(): void {
    this.revision += 1;
    this.tell();
  }

  private tell(): void {
    clearTimeout(this.timers.send);
    delete this.timers.send;
    const run = this.weightsOf?.spec === this.history.spec ? this.weightsOf.run : undefined;
    this.send({ spec: this.history.spec, revision: this.revision, ...(run ? { run } : {}) });
  }

  private steps(): Pick<State, "canUndo" | "canRedo"> {
    return { canUndo: this.history.canUndo, canRedo: this.history.canRedo };
  }
}

/** What follows from the rest of the state: the graph on the canvas, what is true of it, what can be chosen. */
function settled(before: State, after: State): State {
  const { whole, inside, told } = after;
  const sameGraph = whole === before.whole && inside === before.inside;
  const spec = sameGraph ? before.spec : opened(whole, inside);
  const description = sameGraph && told === before.told ? before.description : described(told, whole, inside);
  const there = sameGraph && after.selection === before.selection ? undefined : names(spec);
  const gone = there && [...after.selection].some((id) => !there.has(id));
  const selection = gone ? new Set([...after.selection].filter((id) => there.has(id))) : after.selection;
  const edge = after.edge !== undefined && after.edge < spec.edges.length ? after.edge : undefined;
  return { ...after, spec, description, selection, edge };
}

function readKindly(source: unknown): [Spec, string] {
  if (source === undefined || source === null || (isRecord(source) && !source.nodes)) return [EMPTY, ""];
  try {
    return [readSpec(source), ""];
  } catch (error) {
    return [EMPTY, `The network could not be shown: ${(error as Error).message}`];
  }
}

function runOf(data: BuilderData, spec: Spec): State["weightsRun"] {
  return data.run ? { id: data.run, of: identity(spec) } : undefined;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
