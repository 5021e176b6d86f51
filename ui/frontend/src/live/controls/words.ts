import { element } from "../../shared/element";
import type { Value } from "../data";
import { grouped, named, type Changed, type Control, type Entry } from "./control";

const BUTTONS_UP_TO = 28; // letters in all options together; more stand in a list

let group = 0;

/** One of a few words: buttons side by side, or a list where they are long. */
export function choice(entry: Entry, changed: Changed): Control {
  const options = entry.options ?? [];
  if (options.join("").length > BUTTONS_UP_TO || options.length > 5) {
    const select = element("select", {}, ...options.map((option) => element("option", { value: option }, option)));
    select.onchange = () => changed(select.value);
    select.value = String(entry.default);
    return { element: named(entry, select), show: (value) => void (select.value = String(value)) };
  }
  group += 1;
  const radios = options.map((option) => {
    const input = element("input", { type: "radio", name: `choice-${group}`, value: option });
    input.onchange = () => changed(option);
    return input;
  });
  const row = element("div", { class: "options" }, ...radios.map((input) => element("label", {}, input, element("span", {}, input.value))));
  const show = (value: Value): void => {
    for (const input of radios) input.checked = input.value === value;
  };
  show(entry.default);
  return { element: grouped(entry, row), show };
}

/** Some of a few words, with commas between. */
export function several(entry: Entry, changed: Changed): Control {
  const boxes = (entry.options ?? []).map((option) => {
    const input = element("input", { type: "checkbox", value: option });
    input.onchange = () => changed(boxes.filter(({ checked }) => checked).map(({ value }) => value).join(","));
    return input;
  });
  const labels = boxes.map((input, index) => element("label", { title: entry.hints?.[index] }, input, " ", input.value));
  const row = element("div", { class: "several" }, ...labels);
  const show = (value: Value): void => {
    const chosen = new Set(String(value).split(","));
    for (const input of boxes) input.checked = chosen.has(input.value);
  };
  show(entry.default);
  /** Panels that were asked for and have nothing to show of this network and these data are pale. */
  const there = (slots: readonly string[]): void => {
    const names = boxes.some(({ value }) => slots.includes(value));
    boxes.forEach(({ value, checked }, index) => labels[index]!.classList.toggle("idle", names && checked && !slots.includes(value)));
  };
  return { element: grouped(entry, row), show, there };
}

/** Yes or no. */
export function toggle(entry: Entry, changed: Changed): Control {
  const input = element("input", { type: "checkbox", role: "switch" });
  input.onchange = () => changed(input.checked);
  input.checked = Boolean(entry.default);
  return { element: named(entry, input), show: (value) => void (input.checked = Boolean(value)) };
}

/** Words typed by the visitor; sent while they type. */
export function text(entry: Entry, changed: Changed): Control {
  const input = element("input", { type: "text", maxlength: entry.longest ?? 200, autocomplete: "off", spellcheck: "false" });
  input.oninput = () => changed(input.value);
  input.value = String(entry.default);
  return { element: named(entry, input), show: (value) => void (input.value = String(value)) };
}
