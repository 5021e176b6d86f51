/** A control of a form (`engine/forms.py`) as elements that hold a value. */
import { element } from "../../shared/element";
import { label } from "../../shared/numbers";
import type { Extent, Value } from "../data";
import type { Hit, Look } from "../views/kind";

/** One entry of `Form.to_json`; which fields there are depends on the kind. */
export interface Entry {
  name: string;
  kind: "Slider" | "Choice" | "Several" | "Toggle" | "Text" | "Numbers" | "Drawing" | "Place" | "Pick";
  default: Value;
  whole?: boolean;
  help?: string;
  /** Under which heading it stands; none for the front row. */
  group?: string;
  low?: number;
  high?: number;
  log?: boolean;
  unit?: string;
  options?: string[];
  /** A sentence for each of the options of `Several`. */
  hints?: string[];
  longest?: number;
  length?: number;
  names?: string[];
  across?: number;
  rows?: number;
  columns?: number;
  /** Whether a pad offers to move the drawing to its middle. */
  centre?: boolean;
  extent?: Extent;
  slot?: string;
  count?: number;
  /** Whether nothing may be picked, which is -1. */
  none?: boolean;
  /** Shown only while another control says one of these: `source=typed|drawing`. */
  when?: string;
}

export interface Control {
  element: HTMLElement;
  /** Shows a value that came from the run; never calls `changed`. */
  show(value: Value): void;
  /** Tells which slots have a picture. */
  there?(slots: readonly string[]): void;
  /** The slots, with spaces between, whose pictures can be clicked, and what a click there means. */
  slot?: string;
  asks?: "place" | "pick";
  /** Takes a click in its slot. */
  take?(hit: Hit): void;
  /** Puts its value into the look of its slot. */
  mark?(look: Look): void;
}

/** Whether clicks in a slot's picture turn a control. */
export function listens({ slot }: Control, there: string): boolean {
  return slot !== undefined && slot.split(" ").includes(there);
}

/** Whether a control is to be seen while the others say this. */
export function wanted({ when }: Entry, values: Record<string, Value>): boolean {
  return !when || when.split(";").every((condition) => {
    const [name = "", options = ""] = condition.split("=");
    return options.split("|").includes(String(values[name]));
  });
}

export type Changed = (value: Value) => void;

let count = 0;

/** The name above a control, with its unit; tied to the input by its id. */
export function named(entry: Entry, input: HTMLElement, ...more: (Node | string)[]): HTMLElement {
  input.id ||= `control-${(count += 1)}`;
  const words = label(entry.name) + (entry.unit ? ` [${entry.unit}]` : "");
  const name = element("label", { for: input.id, title: entry.help }, words);
  return element("div", { class: `control ${entry.kind.toLowerCase()}`, "data-name": entry.name }, element("div", { class: "name" }, name, ...more), input);
}

/** A group of inputs under one name. */
export function grouped(entry: Entry, ...children: Node[]): HTMLElement {
  const legend = element("legend", { title: entry.help }, label(entry.name));
  return element("fieldset", { class: `control ${entry.kind.toLowerCase()}`, "data-name": entry.name }, legend, ...children);
}

/** A box for one number; calls back only with numbers inside its bounds. */
export function numberBox(
  name: string, low: number, high: number, whole: boolean, changed: (value: number) => void,
): HTMLInputElement {
  const step = whole ? 1 : "any";
  const box = element("input", { type: "number", min: low, max: high, step, "aria-label": name, title: name });
  box.oninput = () => {
    const value = box.valueAsNumber;
    const fine = Number.isFinite(value) && value >= low && value <= high;
    box.setAttribute("aria-invalid", String(!fine));
    if (fine) changed(whole ? Math.round(value) : value);
  };
  return box;
}

/** A number as it stands in a box: at most six significant digits. */
export function boxed(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "";
}
