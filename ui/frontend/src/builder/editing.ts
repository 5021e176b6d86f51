/** All edits of the graph on the canvas and of the network's blocks. */
import type { Fix, LayerType, NodeFacts } from "./api";
import * as blocks from "./blocks";
import * as clip from "./clip";
import { Core } from "./core";
import * as edits from "./edits";
import { group, unpack } from "./group";
import { blockOf, openName, valuesAt } from "./inside";
import { freshStart } from "./start";
import { incoming, nodeOf, outgoing, readSpec, type Spec } from "./spec";

/** What was copied last, kept across canvases of one page. */
let clipboard: clip.Fragment | undefined;

export class Editing extends Core {
  // What is known

  layer(type: string | undefined): LayerType | undefined {
    return this.state.layers.find((layer) => layer.type === type);
  }

  facts(id: string): NodeFacts | undefined {
    return this.state.description?.nodes[id];
  }

  /** How many inputs a layer takes; a block as many as it has. */
  arity: edits.ArityOf = (type, params) => {
    const block = type === "Block" ? blockOf(this.state.whole, { id: "", type, ...(params ? { params } : {}) }) : undefined;
    if (!block) return this.layer(type)?.inputs ?? [0, null];
    const inputs = block.nodes.filter((node) => node.type === "Input").length;
    return [inputs, inputs];
  };

  /** The one chosen node, if it is just one. */
  get chosen(): string | undefined {
    const [only, ...more] = this.state.selection;
    return more.length ? undefined : only;
  }

  // Edits

  insertOnEdge(index: number, kind: string): void {
    const [type, params] = this.start(kind);
    this.grow(`insert ${named(kind)}`, (spec) => edits.insertOnEdge(spec, index, type, params, this.arity));
  }

  /** Puts a new layer behind the chosen one, or at the end of the network. */
  append(kind: string, branch = false): void {
    const [type, params] = this.start(kind);
    if (this.state.edge !== undefined) return this.insertOnEdge(this.state.edge, kind);
    this.grow(`add ${named(kind)}`, (spec) => {
      const after = this.chosen ?? edits.tail(spec);
      if (after === undefined) return edits.add(spec, type, params);
      return edits.append(spec, after, type, params, { branch, arity: this.arity });
    });
  }

  /** Puts a new layer where it was dropped, joined to nothing. */
  addAt(kind: string, position: readonly [number, number], places: ReadonlyMap<string, readonly [number, number]>): void {
    const [type, params] = this.start(kind);
    this.grow(`add ${named(kind)}`, (spec) => edits.add(edits.place(spec, places), type, params, position));
  }

  removeSelection(): void {
    const { selection, edge, spec } = this.state;
    if (edge !== undefined) {
      const [source, target] = spec.edges[edge] ?? ["", ""];
      this.change(`disconnect ${source} from ${target}`, (old) => edits.disconnect(old, edge, this.arity), { edge: undefined, selection: new Set([source.split(".")[0] as string]) });
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
    if (selection.size) this.grow(`duplicate ${[...selection].join(", ")}`, (spec) => clip.duplicate(spec, selection, this.arity));
  }

  /** Keeps a copy of the chosen layers; its text is for the clipboard. */
  copySelection(): string {
    const { selection, spec } = this.state;
    if (selection.size === 0) return "";
    clipboard = clip.copy(spec, selection);
    this.say(`Copied ${[...selection].join(", ")}`);
    return clip.fragmentText(clipboard);
  }

  /** Puts in what was copied: the layers in a text of the clipboard, else what was copied here last. */
  paste(text = ""): void {
    const fragment = clip.fragmentOf(text) ?? clipboard;
    if (!fragment) return this.note("Nothing has been copied yet.");
    const after = this.state.selection.size ? [...this.state.selection].at(-1) : undefined;
    this.grow("paste", (spec) => clip.paste(spec, fragment, after, this.arity));
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

  /** Keeps the weights of the chosen layers as they are in training, or lets them learn again. */
  toggleFrozen(): void {
    const { selection, spec } = this.state;
    const freeze = ![...selection].every((id) => nodeOf(spec, id)?.frozen);
    this.change(`${freeze ? "freeze" : "unfreeze"} ${[...selection].join(", ")}`, (old) => edits.setFrozen(old, selection, freeze));
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
    if (!this.talk.knows(this.state.whole)) return this.note("The network is still being checked; try again in a moment.");
    this.changeWhole(fix.text, (before) => {
      const places = new Map(before.nodes.flatMap((node) => (node.position ? [[node.id, node.position] as const] : [])));
      return edits.place(readSpec(fix.spec), places);
    });
  }

  // Blocks

  /** Makes the chosen layers a block of their own. */
  groupSelection(): void {
    const { selection, inside } = this.state;
    this.grow(`group ${[...selection].join(", ")}`, (spec) => group(spec, selection, inside.map((id) => `${id}.`).join("")));
  }

  /** Puts the layers of the chosen block in its place. */
  unpackChosen(): void {
    const { chosen } = this;
    const { whole, inside } = this.state;
    if (chosen === undefined) return this.note("Choose one block to unpack.");
    this.grow(`unpack ${chosen}`, (spec) => unpack(spec, chosen, inside.map((id) => `${id}.`).join(""), inside.length ? formulasOf(whole, inside) : {}));
  }

  /** Opens the chosen block; tells whether it is one. */
  openChosen(id = this.chosen): boolean {
    const { spec, inside, whole } = this.state;
    if (id === undefined || !blockOf(whole, nodeOf(spec, id))) return false;
    this.goInto([...inside, id]);
    return true;
  }

  renameBlock(name: string, next: string): boolean {
    return this.changeWhole(`rename block ${name} to ${next}`, (whole) => blocks.renameBlock(whole, name, next));
  }

  removeBlock(name: string): void {
    this.changeWhole(`forget block ${name}`, (whole) => blocks.removeBlock(whole, name));
  }

  setBlockDefault(block: string, name: string, value: unknown): boolean {
    return this.changeWhole(`set ${name} of ${block}`, (whole) => blocks.setDefault(whole, block, name, value), {}, `${block}/${name}`);
  }

  removeBlockValue(block: string, name: string): void {
    this.changeWhole(`take ${name} from ${block}`, (whole) => blocks.removeValue(whole, block, name));
  }

  /** Makes a layer's parameter one of the open block's. */
  liftParam(id: string, field: string, value: unknown): void {
    const { inside } = this.state;
    this.changeWhole(`make ${field} of ${id} the block's`, (whole) => blocks.liftParam(whole, inside, id, field, value));
  }

  /** What the open block's parameters are here; `undefined` outside of blocks. */
  get values(): Readonly<Record<string, unknown>> | undefined {
    const { whole, inside } = this.state;
    return openName(whole, inside) === undefined ? undefined : valuesAt(whole, inside);
  }

  // Within

  /** The type and first parameters of what the palette calls `kind`: a layer, or `Block NAME`. */
  protected start(kind: string): [string, Readonly<Record<string, unknown>>] {
    if (kind.startsWith(BLOCK)) return ["Block", { block: kind.slice(BLOCK.length) }];
    return [kind, freshStart(kind, this.layer(kind), this.state.spec)];
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
}

/** How the palette names the blocks of the network itself. */
export const BLOCK = "Block ";

function named(kind: string): string {
  return kind.startsWith(BLOCK) ? kind.slice(BLOCK.length) : kind;
}

/** Within a block its parameters stay formulas: what is unpacked still follows them. */
function formulasOf(whole: Spec, inside: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.keys(valuesAt(whole, inside)).map((name) => [name, `=${name}`]));
}
