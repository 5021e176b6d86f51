import { describe, expect, it } from "vitest";
import { ACTIONS, possible } from "./actions";
import type { Weights } from "./api";
import { described } from "./inside";
import { combo } from "./keys";
import { linked, linkTo, packed } from "./link";
import { ranked } from "./segments";
import { readSpec, type Spec, type SpecEdge } from "./spec";
import { cellAt, connectionOf, cornerOf, extentOf, foldOf, indexOf, isCut, windowAt } from "./weightGrid";

const SPEC: Spec = readSpec({
  version: 1,
  title: "Größe <b>",
  nodes: [{ id: "image", type: "Input", params: { shape: [1, 8, 8] } }, { id: "a", type: "Block", params: { block: "basic", repeat: 2 } }],
  edges: [["image", "a"]],
  outputs: ["a"],
  blocks: { basic: { values: { width: 4 }, nodes: [{ id: "x", type: "Input" }, { id: "c", type: "Conv2d", params: { out_channels: "=width" } }], edges: [["x", "c"]], outputs: ["c"] } },
});

describe("a link", () => {
  it("carries the whole network and nothing else of the page's address", async () => {
    const link = await linkTo(SPEC, "http://host/build?template=x#old");
    expect(link).toMatch(/^http:\/\/host\/build#net=[A-Za-z0-9_-]+$/);
    expect(await linked(link)).toEqual(SPEC);
    expect(await linked("http://host/build#other=1")).toBeUndefined();
  });

  it("that is damaged is refused in words", async () => {
    const text = await packed(SPEC);
    for (const broken of [text.slice(0, -9), `${text.slice(0, 20)}!!`, "abc", text.split("").reverse().join("")])
      await expect(linked(`#net=${broken}`)).rejects.toThrow(/damaged|no network/);
  });

  it("that unfolds without end is refused", async () => {
    const bomb = { version: 1, nodes: [], edges: [], outputs: [], title: "x".repeat(5_000_000) } as Spec;
    await expect(linked(`#net=${await packed(bomb)}`)).rejects.toThrow("more than 4 MB");
  });
});

describe("what the server says of a network with blocks", () => {
  const facts = (shape: number[], parameters: number) => ({ inputs: [[1, 8, 8]], output: shape, parameters, flops: 2, memory: 3 });
  const told = {
    nodes: {
      image: { ...facts([1, 8, 8], 0), problems: [] },
      a: { ...facts([4, 4, 4], 80), problems: [{ level: "error" as const, text: "a.1.c (Conv2d): takes 3 channels" }, { level: "error" as const, text: "something else" }] },
    },
    inside: { "a.0.c": facts([4, 6, 6], 40), "a.1.c": facts([4, 4, 4], 40) },
    edges: [],
    problems: [],
    totals: { parameters: 80, flops: 0, memory: 0 },
  };

  it("is told inside of the block for its first copy, with what is wrong in any copy at its node", () => {
    const here = described(told, SPEC, ["a"]);
    expect(here?.nodes.x?.output).toEqual([1, 8, 8]);
    expect(here?.nodes.c).toMatchObject({ output: [4, 6, 6], parameters: 40 });
    expect(here?.nodes.c?.problems.map((problem) => problem.text)).toEqual(["a.1.c (Conv2d): takes 3 channels"]);
    expect(here?.problems.map((problem) => problem.text)).toEqual(["something else"]);
  });

  it("is the same object outside", () => expect(described(told, SPEC, [])).toBe(told));
});

describe("keys", () => {
  const press = (key: string, more: object = {}): string => combo({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

  it("are written as people say them", () => {
    expect(press("g")).toBe("G");
    expect(press("Z", { ctrlKey: true, shiftKey: true })).toBe("Ctrl Shift Z");
    expect(press("z", { metaKey: true })).toBe("Ctrl Z");
    expect(press("?", { shiftKey: true })).toBe("?");
    expect(press("ArrowUp", { altKey: true })).toBe("Alt ArrowUp");
  });

  it("stand for one thing at a time", () => {
    const states = [[0, undefined], [1, undefined], [2, undefined], [0, 0]] as const;
    for (const [chosen, edge] of states) {
      const model = {
        chosen: chosen === 1 ? "a" : undefined,
        facts: () => ({ parameters: 1 }),
        state: { readonly: false, edge, selection: new Set(["a", "image"].slice(0, chosen)), spec: SPEC },
      } as never;
      const keys = ACTIONS.filter((action) => possible(action, model)).flatMap((action) => action.keys);
      expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([]);
    }
  });
});

describe("layers arranged piece by piece", () => {
  const size = { width: 100, height: 50 };
  const net = (edges: SpecEdge[]): Spec => ({ version: 1, nodes: [...new Set(edges.flatMap(([from, to]) => [from, to]))].map((id) => ({ id, type: "X" })), edges, outputs: [] });
  const sizesOf = (spec: Spec) => new Map(spec.nodes.map((node) => [node.id, size]));

  it("stand on one line in a chain, each behind the other", () => {
    const spec = net(Array.from({ length: 200 }, (_, at): SpecEdge => [`n${at}`, `n${at + 1}`]));
    const { places } = ranked(spec, sizesOf(spec), "right");
    const along = spec.nodes.map((node) => places.get(node.id) as readonly [number, number]);
    expect(new Set(along.map(([, y]) => Math.round(y))).size).toBe(1);
    for (let at = 1; at < along.length; at += 1) expect((along[at] as readonly [number, number])[0] - (along[at - 1] as readonly [number, number])[0]).toBe(204);
  });

  it("never lie on each other: skips, side branches, several inputs, a head that ends early", () => {
    const block = (at: number): SpecEdge[] => [[`e${at}`, `a${at}`], [`a${at}`, `b${at}`], [`b${at}`, `e${at + 1}`], [`e${at}`, `e${at + 1}`]];
    const edges = [...Array.from({ length: 8 }, (_, at) => block(at)).flat(), ["e2", "side1"], ["side1", "side2"], ["side2", "side3"], ["side3", "side4"], ["other", "b5"]] as SpecEdge[];
    for (const direction of ["right", "down"] as const) {
      const spec = net(edges);
      const { places } = ranked(spec, sizesOf(spec), direction);
      const boxes = [...places.values()];
      expect(boxes).toHaveLength(spec.nodes.length);
      boxes.forEach(([x, y], at) =>
        boxes.slice(at + 1).forEach(([otherX, otherY]) => expect(Math.abs(x - otherX) >= size.width || Math.abs(y - otherY) >= size.height).toBe(true)),
      );
    }
  });

  it("are there even in a circle, and where there is one or none", () => {
    for (const edges of [[["a", "b"], ["b", "c"], ["c", "b"]], []] as SpecEdge[][]) expect(ranked(net(edges), sizesOf(net(edges)), "right").places.size).toBe(net(edges).nodes.length);
    const one: Spec = { version: 1, nodes: [{ id: "a", type: "X" }], edges: [], outputs: [] };
    expect(ranked(one, sizesOf(one), "right").places.size).toBe(1);
    const two: Spec = { ...one, nodes: [{ id: "a", type: "X" }, { id: "b", type: "X" }] };
    expect(ranked(two, sizesOf(two), "right").places.size).toBe(2);
  });
});

describe("a cell of a weight", () => {
  const conv = { axes: 4, tile: [3, 3], step: [1, 1], top: 6, left: 3, grid: [48, 24] } as unknown as Weights;

  it("is a number of the layer", () => {
    expect(indexOf(conv, { row: 4, column: 5 })).toEqual([3, 2, 1, 2]);
    expect(indexOf({ ...conv, axes: 2, tile: [1, 1], top: 0, left: 0 }, { row: 7, column: 2 })).toEqual([7, 2]);
    expect(indexOf({ ...conv, axes: 1, tile: [1, 1], top: 0, left: 0 }, { row: 0, column: 9 })).toEqual([9]);
    expect(indexOf({ ...conv, step: [2, 2] }, { row: 0, column: 0 })).toBeUndefined();
  });

  it("belongs to a connection that may be cut", () => {
    expect(connectionOf([3, 2, 1, 2])).toEqual([3, 2]);
    expect(isCut([[3, 2]], [3, 2, 1, 2])).toBe(true);
    expect(isCut([[3]], [3, 9])).toBe(true);
    expect(isCut([[3, 1]], [3, 2])).toBe(false);
    expect(isCut(undefined, [3, 2])).toBe(false);
  });

  it("is found again under the pointer, in strips or not", () => {
    const tall = { ...conv, values: Array.from({ length: 192 }, () => [0, 0, 0]) } as unknown as Weights;
    for (const [width, height] of [[700, 340], [200, 340], [700, 5000]] as const) {
      const fold = foldOf(tall, width, height);
      expect(fold.per % 3).toBe(0);
      expect(extentOf(fold)[0]).toBeLessThanOrEqual(width);
      expect(extentOf(fold)[1]).toBeLessThanOrEqual(height);
      for (const cell of [{ row: 0, column: 0 }, { row: 100, column: 2 }, { row: 191, column: 1 }]) {
        const [x, y] = cornerOf(fold, cell);
        expect(cellAt(fold, x + fold.size / 2, y + fold.size / 2)).toEqual(cell);
      }
      expect(cellAt(fold, 1e6, 1e6).row).toBe(191);
    }
  });

  it("opens a window that stays within the whole", () => {
    const coarse = { ...conv, step: [8, 8], top: 0, left: 0, grid: [1000, 40] } as unknown as Weights;
    expect(windowAt(coarse, { row: 124, column: 2 })).toEqual([936, 0, 64, 40]);
    expect(windowAt(coarse, { row: 0, column: 0 })).toEqual([0, 0, 64, 40]);
  });
});
