/** Everything one can do on the canvas, once: for keys, menus and the help sheet. */
import type { Desk } from "./context";
import type { Direction } from "./layout";
import type { Model } from "./model";
import { nodeOf, outgoing } from "./spec";

export interface Action {
  readonly id: string;
  readonly words: string;
  /** Key presses that stand for it, as `combo` writes them; the first is shown. */
  readonly keys: readonly string[];
  /** Under which heading the help sheet lists it. */
  readonly part: "The chosen layers" | "Connections" | "The network" | "Looking";
  readonly edits?: boolean;
  readonly danger?: boolean;
  /** Whether it can be done now. */
  when(model: Model): boolean;
  run(model: Model, desk: Desk, direction: Direction): void;
}

const some = (model: Model): boolean => model.state.selection.size > 0;
const one = (model: Model): boolean => model.state.selection.size === 1;
const always = (): boolean => true;
const wire = (model: Model): boolean => model.state.edge !== undefined;
const block = (model: Model): boolean => one(model) && nodeOf(model.state.spec, model.chosen ?? "")?.type === "Block";
const weighty = (model: Model): boolean => one(model) && !block(model) && (model.facts(model.chosen ?? "")?.parameters ?? 0) > 0;

const LAYERS = "The chosen layers";

export const ACTIONS: readonly Action[] = [
  { id: "parameters", words: "Parameters", keys: ["Enter"], part: LAYERS, when: one, run: (_, desk) => desk.edit() },
  { id: "weights", words: "Weights", keys: ["W"], part: LAYERS, when: weighty, run: (model, desk) => desk.open({ kind: "weights", node: model.chosen ?? "" }) },
  { id: "open", words: "Open the block", keys: ["O"], part: LAYERS, when: block, run: (model) => void model.openChosen() },
  { id: "append", words: "Add a layer after it", keys: ["/"], part: LAYERS, edits: true, when: (model) => !wire(model), run: (_, desk) => desk.open({ kind: "append" }) },
  { id: "cut", words: "Cut", keys: ["Ctrl X"], part: LAYERS, edits: true, when: some, run: (_, desk) => desk.copy(true) },
  { id: "copy", words: "Copy", keys: ["Ctrl C"], part: LAYERS, when: some, run: (_, desk) => desk.copy() },
  { id: "duplicate", words: "Duplicate", keys: ["Ctrl D"], part: LAYERS, edits: true, when: some, run: (model) => model.duplicateSelection() },
  { id: "group", words: "Group into a block", keys: ["G", "Ctrl G"], part: LAYERS, edits: true, when: some, run: (model) => model.groupSelection() },
  { id: "unpack", words: "Unpack the block", keys: ["U", "Ctrl Shift G"], part: LAYERS, edits: true, when: block, run: (model) => model.unpackChosen() },
  { id: "freeze", words: "Freeze or unfreeze", keys: ["L"], part: LAYERS, edits: true, when: some, run: (model) => model.toggleFrozen() },
  { id: "output", words: "Make it an output, or not", keys: ["T"], part: LAYERS, edits: true, when: one, run: (model) => model.toggleOutput(model.chosen ?? "") },
  { id: "nudge", words: "Move it on the canvas", keys: ["Alt ArrowRight", "Alt ArrowLeft", "Alt ArrowUp", "Alt ArrowDown"], part: LAYERS, edits: true, when: some, run: () => undefined },
  { id: "delete", words: "Delete", keys: ["Delete", "Backspace"], part: LAYERS, edits: true, danger: true, when: (model) => some(model) && !wire(model), run: (model) => model.removeSelection() },

  { id: "connect", words: "Connect it to…", keys: ["C"], part: "Connections", edits: true, when: one, run: (_, desk) => desk.open({ kind: "connect" }) },
  { id: "wires", words: "Choose the next connection out of it", keys: ["E"], part: "Connections", when: (model) => one(model) || wire(model), run: nextWire },
  { id: "insert", words: "Insert a layer here", keys: ["/"], part: "Connections", edits: true, when: wire, run: (_, desk) => desk.open({ kind: "append" }) },
  { id: "disconnect", words: "Cut the connection", keys: ["Delete", "Backspace"], part: "Connections", edits: true, danger: true, when: wire, run: (model) => model.removeSelection() },

  { id: "undo", words: "Undo", keys: ["Ctrl Z"], part: "The network", edits: true, when: always, run: (model) => model.undo() },
  { id: "redo", words: "Redo", keys: ["Ctrl Shift Z", "Ctrl Y"], part: "The network", edits: true, when: always, run: (model) => model.redo() },
  { id: "paste", words: "Paste", keys: ["Ctrl V"], part: "The network", edits: true, when: always, run: (_, desk) => desk.paste() },
  { id: "all", words: "Choose all layers", keys: ["Ctrl A"], part: "The network", when: always, run: (model) => model.select(model.state.spec.nodes.map((node) => node.id)) },
  { id: "arrange", words: "Arrange", keys: ["Shift A"], part: "The network", edits: true, when: always, run: (model) => model.arrange() },

  { id: "find", words: "Find a layer", keys: ["F", "Ctrl F"], part: "Looking", when: always, run: (_, desk) => desk.open({ kind: "find" }) },
  { id: "fit", words: "Show all", keys: ["0"], part: "Looking", when: always, run: (_, desk) => desk.fit() },
  { id: "nearer", words: "Nearer", keys: ["+", "="], part: "Looking", when: always, run: (_, desk) => desk.zoom(1.25) },
  { id: "farther", words: "Farther", keys: ["-"], part: "Looking", when: always, run: (_, desk) => desk.zoom(0.8) },
  { id: "leave", words: "Choose nothing; out of the block", keys: ["Escape"], part: "Looking", when: always, run: leave },
  { id: "help", words: "This list", keys: ["?"], part: "Looking", when: always, run: (_, desk) => desk.open({ kind: "help" }) },
];

export function actionOf(id: string): Action {
  return ACTIONS.find((action) => action.id === id) as Action;
}

/** Whether an action can be done now, also for one who may only look. */
export function possible(action: Action, model: Model): boolean {
  return !(action.edits && model.state.readonly) && action.when(model);
}

function nextWire(model: Model, desk: Desk): void {
  const { spec, edge } = model.state;
  const from = edge === undefined ? model.chosen : spec.edges[edge]?.[0].split(".")[0];
  if (from === undefined) return;
  const out = outgoing(spec, from).map((link) => link.index);
  const next = edge === undefined ? out[0] : out[(out.indexOf(edge) + 1) % out.length];
  if (next === undefined) return model.say(`Nothing follows ${from}`);
  model.selectEdge(next);
  const [source, target] = spec.edges[next] as readonly [string, string];
  model.say(`Connection from ${source} to ${target}`);
  desk.reveal(target);
}

function leave(model: Model): void {
  const { selection, edge, spec } = model.state;
  if (edge !== undefined) model.select([(spec.edges[edge]?.[0] ?? "").split(".")[0] as string]);
  else if (selection.size) model.select([]);
  else model.goOut();
}
