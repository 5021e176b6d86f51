import { element } from "../../shared/element";
import { format } from "../../shared/numbers";
import type { Value } from "../data";
import { named, type Changed, type Control, type Entry } from "./control";

const STEPS = 1000;

/** From a position of the handle, 0 to 1, to a value and back. */
export function scaleOf({ low = 0, high = 1, log = false, whole = false }: Entry): { value(share: number): number; share(value: number): number } {
  const straight = !log || low <= 0;
  return {
    value(share) {
      const raw = straight ? low + share * (high - low) : low * (high / low) ** share;
      const rounded = whole ? Math.round(raw) : Number(raw.toPrecision(4));
      return Math.min(high, Math.max(low, rounded));
    },
    share: (value) => (straight ? (value - low) / (high - low) : Math.log(value / low) / Math.log(high / low)),
  };
}

export function slider(entry: Entry, changed: Changed): Control {
  const { low = 0, high = 1, whole = false, unit = "" } = entry;
  const scale = scaleOf(entry);
  const steps = whole && !entry.log ? Math.min(STEPS, Math.max(1, high - low)) : STEPS;
  const input = element("input", { type: "range", min: 0, max: steps, step: 1 });
  const shown = element("output");
  const say = (value: number): void => {
    shown.textContent = format(value, 4);
    input.setAttribute("aria-valuetext", `${format(value, 4)}${unit ? ` ${unit}` : ""}`);
    input.style.setProperty("--share", `${100 * Math.min(1, Math.max(0, scale.share(value)))}%`);
  };
  input.oninput = () => {
    const value = scale.value(input.valueAsNumber / steps);
    say(value);
    changed(value);
  };
  const show = (value: Value): void => {
    input.value = String(Math.round(scale.share(Number(value)) * steps));
    say(Number(value));
  };
  show(entry.default);
  return { element: named(entry, input, shown), show };
}
