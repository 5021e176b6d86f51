/** What keys do on the canvas. */
import { ACTIONS, possible } from "./actions";
import type { Desk } from "./context";
import type { Direction } from "./layout";
import type { Model } from "./model";
import { flowOrder, nodeName } from "./spec";
import { neighbour } from "./walk";

/** How far a layer moves at a press of a key [px]. */
const NUDGE = 24;

/** Whether a key press belongs to a control that the visitor types into. */
export function typing(event: Event): boolean {
  const target = event.composedPath()[0];
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** A key press in words: `Ctrl Shift Z`, `Shift A`, `?`. */
export function combo(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const letter = /^[a-z]$/i.test(event.key);
  const key = letter ? event.key.toUpperCase() : event.key;
  // Other signs are already what they are with Shift: "?" is no "Shift /".
  const shift = event.shiftKey && (letter || event.key.length > 1);
  return [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", shift ? "Shift" : "", key].filter(Boolean).join(" ");
}

/** Copying goes through the browser's own clipboard events, which need no permission. */
const BY_EVENT = new Set(["Ctrl C", "Ctrl X", "Ctrl V"]);

/** Does what a key stands for; tells whether it stood for something. */
export function press(event: KeyboardEvent, model: Model, desk: Desk, direction: Direction): boolean {
  const pressed = combo(event);
  if (BY_EVENT.has(pressed)) return false;
  if (event.altKey && event.key in STEPS && model.state.selection.size) return nudge(event.key, model, desk);
  if (!event.altKey && !event.ctrlKey && !event.metaKey && (event.key in WAYS[direction] || event.key === "Home" || event.key === "End"))
    return walk(event.key, event.shiftKey, model, desk, direction);
  const action = ACTIONS.find((one) => one.keys.includes(pressed) && possible(one, model));
  action?.run(model, desk, direction);
  return action !== undefined;
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowRight: [NUDGE, 0],
  ArrowLeft: [-NUDGE, 0],
  ArrowDown: [0, NUDGE],
  ArrowUp: [0, -NUDGE],
};

function nudge(key: string, model: Model, desk: Desk): boolean {
  const [dx, dy] = STEPS[key] as readonly [number, number];
  const places = new Map(desk.places());
  for (const id of model.state.selection) {
    const [x, y] = places.get(id) ?? [0, 0];
    places.set(id, [x + dx, y + dy]);
  }
  model.move(places);
  return true;
}

const WAYS = {
  right: { ArrowRight: "after", ArrowLeft: "before", ArrowDown: "beside+", ArrowUp: "beside-" },
  down: { ArrowDown: "after", ArrowUp: "before", ArrowRight: "beside+", ArrowLeft: "beside-" },
} as const;

function walk(key: string, extend: boolean, model: Model, desk: Desk, direction: Direction): boolean {
  const { spec, selection, edge } = model.state;
  const order = flowOrder(spec);
  const from = [...selection].at(-1);
  const way = (WAYS[direction] as Record<string, "before" | "after" | "beside+" | "beside-" | undefined>)[key];
  const to = edge !== undefined ? alongWire(model, edge, way) : way === undefined ? (key === "Home" ? order[0] : order.at(-1)) : from === undefined ? order[0] : neighbour(spec, from, way);
  if (to === undefined) return true;
  // What was chosen last is where the walk goes on, so it must stand last.
  const kept = extend ? [...selection].filter((id) => id !== to) : [];
  model.select([...kept, to]);
  desk.reveal(to);
  return true;
}

/** From a connection on to its end, or back to its beginning. */
function alongWire(model: Model, edge: number, way: string | undefined): string | undefined {
  const [source, target] = model.state.spec.edges[edge] ?? [];
  return way === "before" ? source && nodeName(source) : target;
}
