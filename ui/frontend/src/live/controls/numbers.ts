import { element } from "../../shared/element";
import { label } from "../../shared/numbers";
import type { Value } from "../data";
import { boxed, grouped, numberBox, type Changed, type Control, type Entry } from "./control";

const MANY = 12;
const FULL_DRAG = 240; // [px] from the low to the high end

/** A handful of numbers in a grid; the name of each can be dragged sideways to turn it. */
export function numbers(entry: Entry, changed: Changed): Control {
  const { length = 1, low = 0, high = 1, names = [], across = 4 } = entry;
  const values = Array.from(entry.default as number[]);
  const cells = Array.from({ length }, (_, index) => {
    const name = names[index] ?? String(index + 1);
    const turn = (value: number): void => {
      values[index] = value;
      changed([...values]);
    };
    const box = numberBox(`${label(entry.name)}: ${name}`, low, high, false, turn);
    const handle = element("span", { class: "handle", title: `Drag to turn ${name}` }, name);
    draggable(handle, () => values[index] ?? 0, (value) => {
      const bounded = Math.min(high, Math.max(low, value));
      box.value = boxed(bounded);
      turn(Number(box.value));
    }, (high - low) / FULL_DRAG);
    return { box, element: element("div", { class: "cell" }, handle, box) };
  });
  const show = (value: Value): void => {
    (value as number[]).forEach((one, index) => {
      values[index] = one;
      const box = cells[index]?.box;
      // The box that is being typed in is left alone.
      if (box && !box.matches(":focus")) box.value = boxed(one);
    });
  };
  show(entry.default);
  const grid = element("div", { class: "grid", style: `--across: ${Math.min(across, length)}` }, ...cells.map((cell) => cell.element));
  return { element: grouped(entry, length > MANY ? folded(`${length} numbers`, grid) : grid), show };
}

/** A field of many numbers stays shut until somebody wants to turn one: the pictures come first. */
function folded(words: string, grid: HTMLElement): HTMLElement {
  return element("details", {}, element("summary", {}, words), grid);
}

function draggable(handle: HTMLElement, value: () => number, turn: (value: number) => void, each: number): void {
  let from: { x: number; value: number } | null = null;
  handle.onpointerdown = (event) => {
    from = { x: event.clientX, value: value() };
    handle.setPointerCapture?.(event.pointerId);
  };
  handle.onpointermove = (event) => {
    if (from) turn(from.value + (event.clientX - from.x) * each);
  };
  handle.onpointerup = handle.onpointercancel = () => {
    from = null;
  };
}
