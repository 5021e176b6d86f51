import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Named, Value } from "../data";
import { look } from "../views/kind";
import { blank, brushRadius, centred, stroke } from "./brush";
import { controls, type Controls } from ".";
import type { Entry } from "./control";
import { scaleOf } from "./slider";

const entry = (kind: Entry["kind"], value: Value, more: Partial<Entry> = {}): Entry => ({ name: "it", kind, default: value, ...more });

let sent: Named<Value>[] = [];

function build(...form: Entry[]): Controls {
  const made = controls(form, (values) => sent.push(values), () => {});
  document.body.replaceChildren(made.element);
  return made;
}

function type(selector: string, value: string, event = "input"): void {
  const input = document.querySelector<HTMLInputElement>(selector)!;
  input.value = value;
  input.dispatchEvent(new Event(event));
}

beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
});
afterEach(() => vi.useRealTimers());

describe("a slider", () => {
  test("turns by equal ratios on a logarithmic scale", () => {
    const scale = scaleOf(entry("Slider", 0.01, { low: 0.0001, high: 1, log: true }));
    expect(scale.value(0.5)).toBeCloseTo(0.01);
    expect(scale.share(0.001)).toBeCloseTo(0.25);
  });

  test("gives whole numbers where the default is whole, and never leaves its bounds", () => {
    const scale = scaleOf(entry("Slider", 3, { low: 1, high: 8, whole: true }));
    expect([scale.value(0), scale.value(0.5), scale.value(1), scale.value(2)]).toEqual([1, 5, 8, 8]);
  });

  test("says its value with its unit", () => {
    build(entry("Slider", 0.5, { low: 0, high: 1, unit: "s" }));
    type("input", "250");
    expect(sent).toEqual([{ it: 0.25 }]);
    expect(document.querySelector("output")!.textContent).toBe("0.25");
    expect(document.querySelector("input")!.getAttribute("aria-valuetext")).toBe("0.25 s");
    expect(document.querySelector("label")!.textContent).toBe("It [s]");
  });
});

test("changes are sent 30 times a second at most, and the last always", () => {
  build(entry("Slider", 0, { low: 0, high: 1 }));
  for (let step = 1; step <= 100; step++) {
    type("input", String(step));
    vi.advanceTimersByTime(5);
  }
  vi.advanceTimersByTime(100);
  expect(sent.length).toBeLessThanOrEqual(17);
  expect(sent[sent.length - 1]).toEqual({ it: 0.1 });
});

test("words, choices and switches send what they show", () => {
  build(entry("Choice", "a", { options: ["a", "b"] }));
  const second = document.querySelectorAll("input")[1]!;
  second.checked = true;
  second.dispatchEvent(new Event("change"));
  build(entry("Choice", "one", { options: ["one", "a long option", "another long option", "and one more"] }));
  type("select", "a long option", "change");
  build(entry("Toggle", false));
  document.querySelector("input")!.click();
  build(entry("Text", "", { longest: 9 }));
  type("input", "hello");
  expect(sent).toEqual([{ it: "b" }, { it: "a long option" }, { it: true }, { it: "hello" }]);
});

test("a number out of bounds is marked and not sent", () => {
  build(entry("Numbers", [0, 0], { length: 2, low: -1, high: 1 }));
  type("input", "3");
  expect(document.querySelector("input")!.getAttribute("aria-invalid")).toBe("true");
  type("input", "0.5");
  expect(sent).toEqual([{ it: [0.5, 0] }]);
});

describe("a click in a picture", () => {
  test("places a point inside its extent", () => {
    const made = build(entry("Place", [0, 0], { extent: [-1, 1, -2, 2], slot: "plane" }));
    made.hit("elsewhere", { place: [0.5, 0.5], words: [] });
    made.hit("plane", { place: [0.123456, 7], words: [] });
    expect(sent).toEqual([{ it: [0.123, 2] }]);
    const marked = look();
    made.all[0]!.mark!(marked);
    expect(marked.place).toEqual([0.123, 2]);
  });

  test("picks a thing that there is", () => {
    const made = build(entry("Pick", 0, { count: 5, slot: "tiles" }));
    made.hit("tiles", { index: 5, words: [] });
    made.hit("tiles", { index: 4, words: [] });
    expect(sent).toEqual([{ it: 4 }]);
    expect(document.querySelector("input")!.value).toBe("4");
  });
});

test("nothing may be picked where the control says so", () => {
  const made = build(entry("Pick", -1, { count: 9, slot: "confusion", none: true }));
  const box = document.querySelector("input")!;
  const marked = look();
  made.all[0]!.mark!(marked);
  expect([box.value, marked.picked]).toEqual(["", null]);
  made.hit("confusion", { index: 4, words: [] });
  expect(box.value).toBe("4");
  box.value = "";
  box.dispatchEvent(new Event("change"));
  vi.advanceTimersByTime(100);
  expect(sent[sent.length - 1]).toEqual({ it: -1 });
});

test("the run's own values are shown, but not while the visitor turns", () => {
  vi.spyOn(performance, "now").mockImplementation(() => Date.now());
  const made = build(entry("Slider", 0, { low: 0, high: 1 }));
  const shown = (): string => document.querySelector("output")!.textContent!;
  made.show({ it: 0.5 });
  expect(shown()).toBe("0.5");
  type("input", "100");
  made.show({ it: 0.7 });
  expect(shown()).toBe("0.1");
  vi.advanceTimersByTime(2000);
  made.show({ it: 0.7 });
  expect(shown()).toBe("0.7");
  vi.restoreAllMocks();
});

describe("the pad", () => {
  test("is drawn on with arrows and space", () => {
    build(entry("Drawing", [], { rows: 28, columns: 28 }));
    const pad = document.querySelector<HTMLElement>("canvas")!;
    const press = (key: string): unknown => pad.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press("ArrowRight");
    expect(sent).toEqual([]);
    press(" ");
    for (let step = 0; step < 8; step++) press("ArrowDown");
    vi.advanceTimersByTime(100);
    const drawn = sent[sent.length - 1]!.it as number[];
    expect(drawn).toHaveLength(784);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1);
    expect(drawn.reduce((sum, ink) => sum + ink)).toBeGreaterThan(10);
    press("Delete");
    vi.advanceTimersByTime(100);
    expect(sent[sent.length - 1]).toEqual({ it: [] });
  });

  test("draws strokes that are soft and as wide as written ones", () => {
    const picture = blank(28, 28);
    stroke(picture, 5, 14, 23, 14);
    const column = Array.from({ length: 28 }, (_, row) => picture.data[row * 28 + 14]!);
    const width = column.reduce((sum, ink) => sum + ink);
    expect(width).toBeCloseTo(2 * brushRadius(picture), 0);
    expect(Math.max(...column)).toBe(1);
    const before = Float32Array.from(picture.data);
    stroke(picture, 5, 14, 23, 14);
    expect(picture.data).toEqual(before);
  });

  test("centres what is drawn as the makers of MNIST did", () => {
    const picture = blank(28, 28);
    stroke(picture, 3, 3, 3, 10);
    stroke(picture, 3, 10, 8, 10);
    const made = centred(picture);
    let [total, down, across, top, bottom] = [0, 0, 0, 28, 0];
    made.data.forEach((ink, index) => {
      const row = Math.floor(index / 28);
      total += ink;
      down += ink * (row + 0.5);
      across += ink * ((index % 28) + 0.5);
      if (ink > 0.2) [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
    });
    expect(down / total).toBeCloseTo(14, 0);
    expect(across / total).toBeCloseTo(14, 0);
    expect(bottom - top).toBeGreaterThanOrEqual(18);
    expect(bottom - top).toBeLessThanOrEqual(22);
    expect(centred(blank(28, 28)).data.every((ink) => ink === 0)).toBe(true);
  });
});
