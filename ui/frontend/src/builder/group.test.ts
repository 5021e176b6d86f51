import { describe, expect, it } from "vitest";
import { liftParam, removeValue, renameBlock, setDefault, useValue } from "./blocks";
import { copy, duplicate, fragmentOf, fragmentText, paste } from "./clip";
import { substitute, resolve } from "./formula";
import { group, unpack } from "./group";
import { opened, putBack, valuesAt } from "./inside";
import { nodeOf, readSpec, type Spec, type SpecEdge } from "./spec";

/** image → c1 → r1 → c2 → add ← c1, add → flat → out; c1 is used twice. */
function residual(): Spec {
  const edges: SpecEdge[] = [["image", "c1"], ["c1", "r1"], ["r1", "c2"], ["c2", "add"], ["c1", "add"], ["add", "flat"], ["flat", "out"]];
  return readSpec({
    version: 1,
    nodes: [
      { id: "image", type: "Input", params: { shape: [1, 8, 8] } },
      { id: "c1", type: "Conv2d", params: { out_channels: 4, kernel_size: 3, padding: 1 } },
      { id: "r1", type: "ReLU" },
      { id: "c2", type: "Conv2d", params: { out_channels: 4, kernel_size: 3, padding: 1 } },
      { id: "add", type: "Add" },
      { id: "flat", type: "Flatten" },
      { id: "out", type: "Linear", params: { out_features: 10 } },
    ],
    edges,
    outputs: ["out"],
  });
}

const sorted = (edges: readonly SpecEdge[]): string[] => edges.map((edge) => edge.join(">")).sort();

describe("a block of chosen layers", () => {
  it("has an input for each source outside and an output for each end used outside", () => {
    const { spec, added } = group(residual(), new Set(["r1", "c2"]));
    expect(added).toEqual(["block1"]);
    expect(spec.blocks?.block).toEqual({
      nodes: [{ id: "x", type: "Input" }, { id: "r1", type: "ReLU" }, nodeOf(residual(), "c2")],
      edges: [["x", "r1"], ["r1", "c2"]],
      outputs: ["c2"],
    });
    expect(sorted(spec.edges)).toEqual(["add>flat", "block1>add", "c1>add", "c1>block1", "flat>out", "image>c1"]);
  });

  it("lets one source feed several of its layers through one input", () => {
    const { spec } = group(residual(), new Set(["r1", "c2", "add"]));
    expect(sorted(spec.blocks?.block?.edges ?? [])).toEqual(["c2>add", "r1>c2", "x>add", "x>r1"]);
    expect(sorted(spec.edges)).toEqual(["block1>flat", "c1>block1", "flat>out", "image>c1"]);
  });

  it("numbers several inputs and outputs", () => {
    const { spec } = group(residual(), new Set(["c1", "r1"]));
    expect(spec.blocks?.block?.outputs).toEqual(["r1", "c1"]);
    expect(sorted(spec.edges)).toEqual(["add>flat", "block1.1>add", "block1>c2", "c2>add", "flat>out", "image>block1"]);
    const two = group(residual(), new Set(["add"])).spec;
    expect(sorted(two.edges)).toContain("c2>block1>0");
    expect(sorted(two.edges)).toContain("c1>block1>1");
  });

  it("takes the place of an output", () => {
    expect(group(residual(), new Set(["flat", "out"])).spec.outputs).toEqual(["block1"]);
  });

  it.each([
    [["image", "c1"], "image is where data come in"],
    [["c1", "c2"], "runs through r1 and comes back to c2; choose r1 too"],
    [[], "Choose the layers"],
  ])("is refused of %j", (ids, words) => {
    expect(() => group(residual(), new Set(ids))).toThrow(words);
  });

  it("keeps weights tied by their new path", () => {
    const spec = residual();
    const tied: Spec = { ...spec, nodes: spec.nodes.map((node) => (node.id === "out" ? { ...node, tied: "c1" } : node)) };
    expect(nodeOf(group(tied, new Set(["c1", "r1"])).spec, "out")?.tied).toBe("block1.c1");
  });
});

describe("a block unpacked", () => {
  it("is what was grouped", () => {
    for (const ids of [["r1", "c2"], ["r1", "c2", "add"], ["c1", "r1"], ["flat", "out"], ["add"]]) {
      const grouped = group(residual(), new Set(ids)).spec;
      const back = unpack(grouped, "block1").spec;
      expect(new Set(back.nodes)).toEqual(new Set(residual().nodes));
      expect(back.outputs).toEqual(residual().outputs);
      const plain = (edges: readonly SpecEdge[]): string[] => edges.map(([source, target]) => `${source}>${target}`).sort();
      expect(plain(back.edges)).toEqual(plain(residual().edges));
    }
  });

  it("gives every copy its own layers with its own values, one after the other", () => {
    let spec = group(residual(), new Set(["r1", "c2"])).spec;
    spec = liftParam(spec, ["block1"], "c2", "out_channels", 4);
    expect(spec.blocks?.block?.values).toEqual({ width: 4 });
    spec = putBack(spec, [], { ...spec, nodes: spec.nodes.map((node) => (node.id === "block1" ? { ...node, params: { block: "block", repeat: 2, values: { width: 6 }, first: { width: 5 } } } : node)) });
    const { spec: flat, added } = unpack(spec, "block1");
    expect(added).toEqual(["r1", "c2", "r2", "c3"]);
    expect(nodeOf(flat, "c2")?.params?.out_channels).toBe(5);
    expect(nodeOf(flat, "c3")?.params?.out_channels).toBe(6);
    expect(sorted(flat.edges)).toEqual(["add>flat", "c1>add", "c1>r1", "c2>r2", "c3>add", "flat>out", "image>c1", "r1>c2", "r2>c3"]);
  });

  it("within a block still follows that block's parameters", () => {
    expect(substitute("=2 * wide", { wide: "=a + b" })).toBe("=2 * (a + b)");
    expect(substitute("=2 * wide", { wide: "=a" })).toBe("=2 * a");
    expect(substitute(["=wide", 3], { wide: 7 })).toEqual([7, 3]);
  });
});

describe("a block's own parameters", () => {
  const inside = (): Spec => liftParam(group(residual(), new Set(["r1", "c2"])).spec, ["block1"], "c2", "out_channels", 4);

  it("are edited inside the block, seen at each of its uses", () => {
    const spec = inside();
    expect(nodeOf(opened(spec, ["block1"]), "c2")?.params?.out_channels).toBe("=width");
    expect(valuesAt(spec, ["block1"])).toEqual({ width: 4 });
    expect(setDefault(spec, "block", "width", 9).blocks?.block?.values).toEqual({ width: 9 });
    expect(() => removeValue(spec, "block", "width")).toThrow("c2 uses “width”");
    expect(() => setDefault(spec, "block", "2x", 9)).toThrow("cannot be a name");
  });

  it("follow a renamed block", () => {
    const spec = renameBlock(inside(), "block", "basic");
    expect(nodeOf(spec, "block1")?.params?.block).toBe("basic");
    expect(Object.keys(spec.blocks ?? {})).toEqual(["basic"]);
  });

  it("have values of their own at a use, until these are taken back", () => {
    const set = useValue({ block: "basic" }, "values", "width", 8);
    expect(set).toEqual({ block: "basic", values: { width: 8 } });
    expect(useValue(set, "values", "width", undefined)).toEqual({ block: "basic" });
  });
});

describe("formulas", () => {
  it.each([
    ["=4 * width", 32], ["=width + 2 * 3", 14], ["=(width + 2) * 3", 30], ["=width // 3", 2], ["=-width // 3", -3], ["=width - 1 - 2", 5],
  ])("%s", (text, value) => expect(resolve(text, { width: 8 })).toBe(value));

  it.each(["=", "=width +", "=4 width", "=wide", "=width // 0", "=(width", "=width ** 2", "=a.b"])("%s is refused", (text) => {
    expect(() => resolve(text, { width: 8 })).toThrow();
  });
});

describe("copied layers", () => {
  it("go through the clipboard as text into another network, with their blocks", () => {
    const grouped = group(residual(), new Set(["r1", "c2"])).spec;
    const text = fragmentText(copy(grouped, new Set(["block1", "add"])));
    const fragment = fragmentOf(text);
    const other: Spec = { version: 1, nodes: [], edges: [], outputs: [], blocks: { block: { nodes: [], edges: [], outputs: [] } } };
    const { spec, added } = paste(other, fragment as never);
    expect(added).toEqual(["block1", "add1"]);
    expect(nodeOf(spec, "block1")?.params?.block).toBe("block_1");
    expect(spec.blocks?.block_1).toEqual(grouped.blocks?.block);
    expect(fragmentOf("hello")).toBeUndefined();
    expect(fragmentOf('{"nodes": 3}')).toBeUndefined();
  });

  it("repeat behind themselves", () => {
    const { spec, added } = duplicate(residual(), new Set(["r1", "c2"]));
    expect(sorted(spec.edges)).toContain(`c2>${added[0]}`);
    expect(sorted(spec.edges)).toContain(`${added[1]}>add`);
  });
});
