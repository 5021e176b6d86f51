import { describe, expect, it } from "vitest";
import { detours } from "./detours";
import { fillIn, layout, type Point, type Size } from "./layout";
import { readSpec, type Spec } from "./spec";
import { viewOf } from "./view";

const SIZE: Size = { width: 192, height: 74 };
const VIEW: Size = { width: 960, height: 600 };

function chain(length: number, extra: [string, string][] = []): Spec {
  const ids = Array.from({ length }, (_, at) => `n${at}`);
  return readSpec({ nodes: ids.map((id) => ({ id, type: "x" })), edges: [...ids.slice(1).map((id, at) => [ids[at], id]), ...extra] });
}

const sizes = (spec: Spec): Map<string, Size> => new Map(spec.nodes.map((node) => [node.id, SIZE]));

function overlaps(places: ReadonlyMap<string, Point>): number {
  const all = [...places.values()];
  const hit = ([x, y]: Point, [left, top]: Point): boolean => Math.abs(x - left) < SIZE.width && Math.abs(y - top) < SIZE.height;
  return all.filter((one, at) => all.slice(at + 1).some((other) => hit(one, other))).length;
}

describe("layout", () => {
  it("folds a chain like lines of text", () => {
    const spec = chain(12);
    const { places, routes } = layout(spec, sizes(spec), "right", VIEW);
    const rows = new Set([...places.values()].map(([, y]) => Math.round(y)));
    expect(rows.size).toBeGreaterThan(1);
    expect([...routes.values()].filter((route) => route.kind === "fold")).toHaveLength(rows.size - 1);
    expect(overlaps(places)).toBe(0);
  });

  it("leaves a short chain in one line", () => {
    const spec = chain(3);
    const { places, routes } = layout(spec, sizes(spec), "right", VIEW);
    expect(new Set([...places.values()].map(([, y]) => y)).size).toBe(1);
    expect(routes.size).toBe(0);
  });

  it("never folds through several tensors at once", () => {
    const spec = chain(12, [["n0", "n11"]]);
    const { routes } = layout(spec, sizes(spec), "right", VIEW);
    expect([...routes.values()].every((route) => route.kind === "lane")).toBe(true);
  });

  it("puts no card on another in a residual network", () => {
    const spec = chain(40, Array.from({ length: 9 }, (_, block) => [`n${block * 4 + 1}`, `n${block * 4 + 4}`] as [string, string]));
    expect(overlaps(layout(spec, sizes(spec), "right", VIEW).places)).toBe(0);
    expect(overlaps(layout(spec, sizes(spec), "down", VIEW).places)).toBe(0);
  });

  it("goes down on a narrow canvas", () => {
    const spec = chain(4);
    const heights = [...layout(spec, sizes(spec), "down", VIEW).places.values()].map(([, y]) => y);
    expect(heights).toEqual([...heights].sort((one, other) => one - other));
    expect(new Set(heights).size).toBe(4);
  });

  it("bears circles, parallel edges and nothing at all", () => {
    for (const spec of [chain(3, [["n2", "n0"]]), chain(2, [["n0", "n1"]]), readSpec({ nodes: [] })])
      expect(layout(spec, sizes(spec), "right", VIEW).places.size).toBe(spec.nodes.length);
  });
});

it("puts a new node between its neighbours and on no other card", () => {
  const spec = readSpec({
    nodes: [{ id: "a", type: "x", position: [0, 0] }, { id: "b", type: "x" }, { id: "c", type: "x", position: [600, 0] }, { id: "lone", type: "x" }],
    edges: [["a", "b"], ["b", "c"]],
  });
  const places = fillIn(spec, sizes(spec), "right");
  expect(places.get("b")).toEqual([300, 0]);
  expect(overlaps(places)).toBe(0);
});

it("leads a line around a card that stands in its way", () => {
  const spec = readSpec({ nodes: ["a", "b", "c"].map((id) => ({ id, type: "x" })), edges: [["a", "c"]] });
  const places = new Map<string, Point>([["a", [0, 0]], ["b", [300, 0]], ["c", [600, 0]]]);
  const route = detours(spec, places, sizes(spec), "right").get(0);
  expect(route?.points.every(([, y]) => y < 0 || y > SIZE.height)).toBe(true);
  places.set("b", [300, 400]);
  expect(detours(spec, places, sizes(spec), "right").size).toBe(0);
});

describe("view", () => {
  const places = new Map<string, Point>([["a", [0, 0]], ["b", [4000, 0]]]);
  const both = new Map([["a", SIZE], ["b", SIZE]]);

  it("shows the beginning where all could not be read", () => {
    const view = viewOf(places, both, VIEW, "right", false);
    expect(view.zoom).toBeGreaterThan(0.5);
    expect(view.x).toBeGreaterThan(0);
  });

  it("shows all when asked", () => {
    const { x, zoom } = viewOf(places, both, VIEW, "right", true);
    expect(x).toBeGreaterThan(0);
    expect(4192 * zoom + x).toBeLessThan(VIEW.width);
  });

  it("never enlarges", () => {
    expect(viewOf(new Map([["a", [0, 0]]]), both, VIEW, "right", true).zoom).toBe(1);
  });
});
