/** Controls that are turned by a click in a picture; boxes beside it serve the keyboard. */
import { element } from "../../shared/element";
import { label } from "../../shared/numbers";
import type { Extent, Value } from "../data";
import { boxed, grouped, named, numberBox, type Changed, type Control, type Entry } from "./control";

const HINT = "or click in the picture";

/** A point of the plane. */
export function place(entry: Entry, changed: Changed): Control {
  const [left, right, bottom, top]: Extent = entry.extent ?? [0, 1, 0, 1];
  let [x, y] = entry.default as [number, number];
  const turn = (at: [number, number]): void => {
    [x, y] = at;
    changed([x, y]);
  };
  const boxes = [
    numberBox(`${label(entry.name)}: x`, left, right, false, (value) => turn([value, y])),
    numberBox(`${label(entry.name)}: y`, bottom, top, false, (value) => turn([x, value])),
  ] as const;
  const show = (value: Value): void => {
    [x, y] = value as [number, number];
    if (!boxes[0].matches(":focus")) boxes[0].value = boxed(x);
    if (!boxes[1].matches(":focus")) boxes[1].value = boxed(y);
  };
  show(entry.default);
  const group = grouped(entry, element("div", { class: "pair" }, ...boxes));
  group.querySelector("legend")!.append(" ", element("span", { class: "hint" }, HINT));
  return {
    element: group,
    show,
    slot: entry.slot ?? "",
    asks: "place",
    take(hit) {
      if (!hit.place) return;
      const at: [number, number] = [
        Math.min(right, Math.max(left, round(hit.place[0], right - left))),
        Math.min(top, Math.max(bottom, round(hit.place[1], top - bottom))),
      ];
      show(at);
      turn(at);
    },
    mark: (look) => void (look.place = [x, y]),
  };
}

/** As many digits as a pixel of a click can mean. */
function round(value: number, size: number): number {
  const places = Math.max(0, 3 - Math.floor(Math.log10(size || 1)));
  return Number(value.toFixed(Math.min(10, places)));
}

/** The number of a thing, or of none. */
export function pick(entry: Entry, changed: Changed): Control {
  const last = Math.max(0, (entry.count ?? 1) - 1);
  let chosen = Number(entry.default);
  const shown = (): string => (chosen < 0 ? "" : String(chosen));
  const box = numberBox(label(entry.name), 0, last, true, (value) => {
    chosen = value;
    changed(chosen);
  });
  const show = (value: Value): void => {
    chosen = Number(value);
    if (!box.matches(":focus")) box.value = shown();
  };
  show(entry.default);
  if (entry.none) {
    box.placeholder = "none";
    box.onchange = () => {
      if (box.value || chosen < 0) return; // emptied: nothing is picked any more
      chosen = -1;
      box.setAttribute("aria-invalid", "false");
      changed(chosen);
    };
  }
  return {
    element: named(entry, box, element("span", { class: "hint" }, HINT)),
    show,
    slot: entry.slot ?? "",
    asks: "pick",
    take(hit) {
      if (hit.index === undefined || hit.index > last || hit.index === chosen) return;
      show(hit.index);
      changed(chosen);
    },
    mark: (look) => void (look.picked = chosen < 0 ? null : chosen),
  };
}
