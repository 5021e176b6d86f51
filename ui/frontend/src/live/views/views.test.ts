import { describe, expect, test } from "vitest";
import { paper } from "../../../dev/paper";
import type { Theme } from "../../shared/theme";
import type { Curve, Graph, Matrix, Numbers, Tiles, Tokens, View } from "../data";
import { KINDS, kindOf } from ".";
import { look, type Drawn, type Hit } from "./kind";
import { markdown } from "./note";

const THEME: Theme = {
  dark: false, text: "#000", muted: "#666", faint: "#ddd", background: [255, 255, 255], paper: "#fff", accent: "#00f",
  positive: "#00f", negative: "#f80", font: "sans-serif", size: 12, line: 1.5, still: false,
};
const BOX = { width: 500, height: 300 };

type Fill = (index: number) => number;

function numbers(shape: number[], fill: Fill): Numbers {
  const count = shape.reduce((product, side) => product * side, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, index) => fill(index)) };
}

const words = (n: number): string[] => Array.from({ length: n }, (_, index) => `name ${index}`);

/** One view of every kind with `n` things in it, each number given by `fill`. */
function everyKind(n: number, fill: Fill): { [K in View["kind"]]: Extract<View, { kind: K }> } {
  const plain = { title: "", xlabel: "x [1]", ylabel: "y [1]" };
  const line = (): Numbers => numbers([n], fill);
  const pairs = (): Numbers => numbers([n, 2], fill);
  const points = {
    kind: "Points", ...plain, xy: pairs(), labels: numbers([n], (index) => index % 3), names: words(3), lines: { path: pairs() }, extent: null, equal: true,
  } as const;
  const side = Math.ceil(Math.sqrt(n));
  return {
    Curve: { kind: "Curve", ...plain, x: numbers([n], (index) => index), lines: { a: line(), b: line() }, log: true, logx: false, marks: { here: 1 }, dots: true },
    Points: points,
    Field: { kind: "Field", ...plain, values: numbers([side, side], fill), extent: [-1, 1, -1, 1], paths: { w: pairs() }, points, scale: "signed", contours: true },
    Bars: { kind: "Bars", ...plain, names: words(n), series: { a: line(), b: line() }, log: false, level: { chance: 0.5 } },
    Histogram: { kind: "Histogram", ...plain, edges: numbers([n + 1], (index) => index), counts: { a: line() }, curve: { density: numbers([n + 1], fill) }, log: false },
    Matrix: { kind: "Matrix", ...plain, values: numbers([side, side], fill), rows: words(side), columns: words(side), scale: "sequential", numbers: n < 100, highlight: n ? [[0, 0]] : [] },
    Tiles: { kind: "Tiles", title: "", images: numbers([n, 3, 3], fill), captions: words(n), scale: "signed", shared: false, across: 0, marks: { 0: "wrong" } },
    Tokens: { kind: "Tokens", title: "", tokens: words(Math.min(n, 300)), weights: numbers([Math.min(n, 300)], fill), links: numbers([Math.min(n, 300), Math.min(n, 300)], fill) },
    Attention: { kind: "Attention", title: "", weights: numbers([side, side], fill), rows: words(side), columns: words(side), axes: ["tokens", "tokens"], drawn: n % 2 ? "lines" : "matrix", place: -1, scale: "sequential" },
    Heads: { kind: "Heads", title: "", maps: numbers([2 * side, 4, 4], fill), layers: words(2), across: side, picked: 0, places: [[4, 4], [4, 4]], axes: [["tokens", "tokens"], ["target", "source"]] },
    Products: { kind: "Products", title: "", query: numbers([n ? 8 : 0], fill), keys: numbers([side, n ? 8 : 0], fill), scores: numbers([side], fill), weights: numbers([side], fill), names: words(side), places: words(side).map((_, index) => index), at: "it", scale: 0.5, axes: ["tokens", "tokens"], row: 0 },
    Patches: { kind: "Patches", title: "", image: numbers(n ? [8, 8] : [0, 0], fill), weights: numbers(n ? [5, 5] : [0, 0], fill), grid: [2, 2], places: [1, 2, 3, 4], extra: { "[class]": 0 }, place: 0, row: "tokens" },
    Graph: {
      kind: "Graph", title: "",
      nodes: words(n).map((id, index) => ({ id, label: index % 2 ? id : "", x: index % 2, y: n > 1 ? index / (n - 1) : 0.5, value: fill(index), kind: "unit", detail: "a\nb" })),
      edges: words(Math.max(0, n - 1)).map((id, index) => ({ source: id, target: `name ${index + 1}`, value: fill(index), label: "w" })),
    },
    Neurons: {
      kind: "Neurons", title: "", maps: numbers([n, 3, 3], fill), sizes: n > 2 ? [2, n - 2] : n ? [n] : [], weights: n > 2 ? [numbers([n - 2, 2], fill)] : [],
      names: ["inputs", "scores"], inputs: ["x", "y"], outputs: words(n),
    },
    Parallel: { kind: "Parallel", title: "", values: numbers([n, 3], fill), names: ["rate", "optimizer", "score"], words: { optimizer: ["SGD", "Adam"] }, log: ["rate"] },
    Surface: { kind: "Surface", ...plain, zlabel: "z", values: numbers([side, side], fill), extent: [-1, 1, -1, 1], paths: { w: numbers([n, 3], fill) } },
    Arrows: { kind: "Arrows", ...plain, at: pairs(), vectors: pairs(), extent: [-1, 1, -1, 1], names: words(Math.min(n, 3)), lines: { way: pairs() }, points },
    Table: { kind: "Table", title: "", columns: ["a", "b"], rows: words(Math.min(n, 50)).map((name, index) => [name, fill(index)]) },
    Timeline: { kind: "Timeline", title: "", lanes: words(Math.min(n, 4)), spans: words(n).map((label, index) => ({ lane: `name ${index % 4}`, start: index, end: index + fill(index), label, kind: index % 2 ? "a" : "b" })), xlabel: "time [s]" },
    Sound: { kind: "Sound", title: "", samples: line(), rate: 8000 },
    Note: { kind: "Note", title: "", text: n ? "**bold**" : "", tone: "good" },
  };
}

function drawn(view: View, box = BOX, how = look()): ReturnType<typeof paper> {
  const sheet = paper();
  const kind = kindOf(view);
  if (!kind) throw new Error(`no kind for ${view.kind}`);
  if ("draw" in kind) kind.draw(sheet.context, view, box, THEME, how);
  else kind.build(document.createElement("div"), view);
  return sheet;
}

const SETS: [string, number, Fill][] = [
  ["typical", 9, (index) => Math.sin(index) + 0.1],
  ["empty", 0, () => 0],
  ["a single number", 1, () => 0.5],
  ["all the same", 9, () => 3],
  ["not a number at all", 9, () => Number.NaN],
  ["infinite in places", 9, (index) => (index % 2 ? Number.POSITIVE_INFINITY : index)],
  ["huge numbers", 9, (index) => (index - 4) * 1e30],
  ["twenty thousand things", 20_000, (index) => Math.sin(index / 50)],
];

describe.each(Object.keys(KINDS) as View["kind"][])("%s", (name) => {
  test.each(SETS)("is drawn and said in a sentence: %s", (_, count, fill) => {
    const view = everyKind(name === "Graph" ? Math.min(count, 400) : count, fill)[name];
    drawn(view);
    drawn(view, { width: 60, height: 40 });
    drawn(view, { width: 1400, height: 700 }, { ...look(), hover: [300, 150], picked: 0, place: [0.2, 0.2] });
    const said = kindOf(view)!.describe(view);
    expect(said).toMatch(/^.{8,600}[.!?]$|^bold$|^An empty note\.$/s);
    expect(said).not.toMatch(/undefined|NaN/);
  });

  test("answers pointing anywhere", () => {
    for (const [, count, fill] of SETS.slice(0, 5)) {
      const view = everyKind(count, fill)[name];
      const kind = kindOf(view) as Drawn<View>;
      for (let x = -20; x <= 520; x += 90) for (let y = -20; y <= 320; y += 68) kind.hit?.(view, BOX, x, y, THEME);
    }
  });
});

/** Everything that can be hit, by its number: what is under each third pixel. */
function things(view: View): Map<number, Hit> {
  const kind = kindOf(view) as Drawn<View>;
  const found = new Map<number, Hit>();
  for (let y = 1; y < BOX.height; y += 3) {
    for (let x = 1; x < BOX.width; x += 3) {
      const hit = kind.hit?.(view, BOX, x, y, THEME);
      if (hit?.index !== undefined) found.set(hit.index, hit);
    }
  }
  return found;
}

describe("a click", () => {
  const typical = everyKind(9, (index) => Math.sin(index) + 1.1);

  test.each(["Bars", "Tiles", "Tokens", "Graph", "Neurons", "Timeline", "Histogram"] as const)("finds every thing of %s", (name) => {
    expect([...things(typical[name]).keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("finds cells row by row", () => {
    const view: Matrix = { ...typical.Matrix, values: numbers([2, 3], (index) => index) };
    const cells = things(view);
    expect(cells.get(4)!.words[0]!.text).toBe("name 1, name 1");
    expect([...cells.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("in a field gives the point of the plane, bottom row first", () => {
    const view = { ...typical.Field, values: numbers([2, 2], (index) => index), points: null, paths: {}, extent: [0, 2, 10, 12] as [number, number, number, number] };
    const kind = kindOf(view) as Drawn<View>;
    let lowest: Hit | null = null;
    for (let y = 0; y < 300; y += 2) lowest = kind.hit!(view, BOX, 210, y, THEME) ?? lowest;
    expect(lowest!.place![1]).toBeCloseTo(10, 1);
    expect(["0", "1"]).toContain(lowest!.words[1]!.text);
  });

  test("on a curve reads the nearest point", () => {
    const view: Curve = { ...typical.Curve, x: numbers([3], (index) => index * 10), lines: { loss: numbers([3], (index) => 4 - index) }, log: false, marks: {} };
    expect(things(view).get(2)!.words.map(({ text }) => text)).toEqual(["x [1]  20", "loss  2"]);
  });
});

describe("what is drawn", () => {
  test("leaves a gap where a curve is not a number", () => {
    const view = (middle: number): Curve => ({
      ...everyKind(0, () => 0).Curve, x: numbers([5], (index) => index), lines: { a: numbers([5], (index) => (index === 2 ? middle : index + 1)) }, dots: false, log: false, marks: {},
    });
    expect(drawn(view(Number.NaN)).calls.moveTo! - drawn(view(3)).calls.moveTo!).toBe(1);
  });

  test("says the number in every cell", () => {
    const view: Matrix = { ...everyKind(4, (index) => index / 4).Matrix, rows: [], columns: [], xlabel: "", ylabel: "" };
    expect(drawn(view).texts.sort()).toEqual(["0", "0.25", "0.5", "0.75"]);
  });

  test("names every node and token that has room", () => {
    const nodes = ["in", "out"].map((id, x) => ({ id, label: id, x, y: 0.5, value: null, kind: "", detail: "" }));
    const view: Graph = { kind: "Graph", title: "", nodes, edges: [{ source: "in", target: "out", value: 2, label: "w" }] };
    expect(drawn(view).texts).toEqual(["w", "in", "out"]);
    const tokens: Tokens = { kind: "Tokens", title: "", tokens: ["a", " b"], weights: numbers([0], () => 0), links: numbers([0, 0], () => 0) };
    expect(drawn(tokens).texts).toEqual(["a", "·b"]);
  });

  test("shows all tiles and their captions", () => {
    const view: Tiles = everyKind(6, (index) => index).Tiles;
    const { calls, texts } = drawn(view);
    expect(calls.drawImage).toBe(6);
    expect(texts).toEqual(words(6));
  });

  test("stays inside budget for a hundred thousand points on a line", () => {
    const view: Curve = { ...everyKind(0, () => 0).Curve, x: numbers([100_000], (index) => index), lines: { a: numbers([100_000], (index) => Math.sin(index)) }, dots: false, log: false, marks: {} };
    expect(drawn(view).calls.lineTo).toBeLessThan(5000);
  });
});

test("a note is text, never HTML", () => {
  const blocks = markdown("# Head\nA <img src=x onerror=alert(1)> **bold** `code`\nsame\n\n- one\n- *two*\n\n```\nx < y\n```");
  const host = document.createElement("div");
  host.append(...blocks);
  expect(host.querySelector("img")).toBeNull();
  expect([...host.children].map(({ localName }) => localName)).toEqual(["h4", "p", "ul", "pre"]);
  expect(host.querySelector("p")!.textContent).toBe("A <img src=x onerror=alert(1)> bold code same");
  expect(host.querySelectorAll("li")).toHaveLength(2);
});
