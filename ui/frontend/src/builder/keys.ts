/** What keys do on the canvas. */
import type { Desk } from "./context";
import type { Direction } from "./layout";
import type { Model } from "./model";
import { flowOrder } from "./spec";
import { neighbour } from "./walk";

/** Whether a key press belongs to a control that the visitor types into. */
export function typing(event: Event): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Does what a key stands for; tells whether it stood for something. */
export function press(event: KeyboardEvent, model: Model, desk: Desk, direction: Direction): boolean {
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (command) return commanded(key, event.shiftKey, model);
  if (event.altKey) return false;
  if (key in WAYS[direction] || key === "Home" || key === "End") return walk(key, event.shiftKey, model, desk, direction);
  return plainKey(key, model, desk);
}

function commanded(key: string, shift: boolean, model: Model): boolean {
  if (key === "z") shift ? model.redo() : model.undo();
  else if (key === "y") model.redo();
  else if (key === "c") {
    // Marked text is copied by the browser; layers only where nothing is marked.
    if (getSelection()?.toString() || model.state.selection.size === 0) return false;
    model.copySelection();
  } else if (key === "x") {
    if (model.state.selection.size === 0) return false;
    model.copySelection();
    model.removeSelection();
  } else if (key === "v") model.paste();
  else if (key === "d") model.duplicateSelection();
  else if (key === "a") model.select(model.state.spec.nodes.map((node) => node.id));
  else return false;
  return true;
}

function plainKey(key: string, model: Model, desk: Desk): boolean {
  const { selection, readonly } = model.state;
  if (key === "f") desk.open({ kind: "find" });
  else if (key === "Escape") desk.menu ? desk.close() : model.select([]);
  else if (key === "Enter" && selection.size) desk.edit();
  else if (readonly) return false;
  else if (key === "Delete" || key === "Backspace") model.removeSelection();
  else if (key === "/") desk.open({ kind: "append" });
  else if (key === "c" && selection.size === 1) desk.open({ kind: "connect" });
  else return false;
  return true;
}

const WAYS = {
  right: { ArrowRight: "after", ArrowLeft: "before", ArrowDown: "beside+", ArrowUp: "beside-" },
  down: { ArrowDown: "after", ArrowUp: "before", ArrowRight: "beside+", ArrowLeft: "beside-" },
} as const;

function walk(key: string, extend: boolean, model: Model, desk: Desk, direction: Direction): boolean {
  const { spec, selection } = model.state;
  const order = flowOrder(spec);
  const from = [...selection].at(-1);
  const way = (WAYS[direction] as Record<string, "before" | "after" | "beside+" | "beside-" | undefined>)[key];
  const to = way === undefined ? (key === "Home" ? order[0] : order.at(-1)) : from === undefined ? order[0] : neighbour(spec, from, way);
  if (to === undefined) return true;
  // What was chosen last is where the walk goes on, so it must stand last.
  const kept = extend ? [...selection].filter((id) => id !== to) : [];
  model.select([...kept, to]);
  desk.reveal(to);
  return true;
}
