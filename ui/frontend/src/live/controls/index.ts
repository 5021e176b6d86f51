/** The live controls of a run: a form turned into elements, its changes sent at a bounded rate. */
import { element } from "../../shared/element";
import type { Named, Value } from "../data";
import type { Hit } from "../views/kind";
import { pick, place } from "./clicks";
import { listens, wanted, type Changed, type Control, type Entry } from "./control";
import { drawing } from "./drawing";
import { numbers } from "./numbers";
import { slider } from "./slider";
import { throttle } from "./throttle";
import { choice, several, text, toggle } from "./words";

const KINDS: Record<Entry["kind"], (entry: Entry, changed: Changed) => Control> = {
  Slider: slider, Choice: choice, Several: several, Toggle: toggle, Text: text, Numbers: numbers, Drawing: drawing, Place: place, Pick: pick,
};

const QUIET = 1200; // [ms] after the visitor's own change during which the run's echo is not shown

export interface Controls {
  element: HTMLElement;
  /** Whether there is a pad, which wants a column of its own. */
  pad: boolean;
  all: Control[];
  /** Shows where the run's controls stand. */
  show(values: Named<Value>): void;
  /** A click in a slot, for the controls that listen there. */
  hit(slot: string, hit: Hit): void;
  enable(enabled: boolean): void;
}

/** Front-row controls one after the other, then the groups, each folded behind its heading. */
function laid(form: Entry[], made: { name: string; control: Control }[]): HTMLElement[] {
  const groups = new Map<string, HTMLElement>();
  const rows: HTMLElement[] = [];
  for (const { name, control } of made) {
    const heading = form.find((entry) => entry.name === name)?.group;
    if (!heading) {
      rows.push(control.element);
      continue;
    }
    let inside = groups.get(heading);
    if (!inside) {
      inside = element("div", { class: "inside" });
      groups.set(heading, inside);
      rows.push(element("details", { class: "group" }, element("summary", {}, heading), inside));
    }
    inside.append(control.element);
  }
  return rows;
}

/** Builds the controls; `send` gets the newest values, 30 times a second at most, the last always. */
export function controls(form: Entry[], send: (values: Named<Value>) => void, changed: () => void): Controls {
  const later = throttle(send);
  const touched = new Map<string, number>();
  const known = new Map<string, string>();
  const now: Named<Value> = Object.fromEntries(form.map(({ name, default: value }) => [name, value]));
  /** Hides what means nothing as the others stand. */
  const dress = (): void => {
    for (const { entry, control } of made) control.element.hidden = !wanted(entry, now);
  };
  const made = form.filter(({ kind }) => kind in KINDS).map((entry) => ({
    entry,
    name: entry.name,
    control: KINDS[entry.kind](entry, (value) => {
      now[entry.name] = value;
      dress();
      touched.set(entry.name, performance.now());
      known.set(entry.name, JSON.stringify(value));
      later({ [entry.name]: value });
      changed();
    }),
  }));
  const all = made.map(({ control }) => control);
  const group = element("fieldset", { class: "controls", "aria-label": "Live controls" }, ...laid(form, made));
  group.hidden = !all.length;
  dress();
  return {
    element: group,
    pad: form.some(({ kind }) => kind === "Drawing"),
    all,
    show(values) {
      for (const { name, control } of made) {
        const value = values[name];
        if (value === undefined || performance.now() - (touched.get(name) ?? -QUIET) < QUIET) continue;
        const words = JSON.stringify(value);
        if (known.get(name) === words) continue;
        known.set(name, words);
        now[name] = value;
        control.show(value);
        changed();
      }
      dress();
    },
    hit(slot, hit) {
      for (const control of all) if (listens(control, slot)) control.take?.(hit);
    },
    enable(enabled) {
      if (group.disabled === enabled) group.disabled = !enabled;
    },
  };
}
