import { describe, expect, it } from "vitest";
import { baseName, flowOrder, freshName, incoming, identity, links, path, readSpec, structure, type Spec } from "./spec";

const LENET = {
  version: 1,
  nodes: [
    { id: "image", type: "Input", params: { shape: [1, 28, 28] } },
    { id: "conv1", type: "Conv2d", params: { out_channels: 6, kernel_size: 5 }, position: [3, 4] },
    { id: "scores", type: "Linear", params: { out_features: 10 }, frozen: true },
  ],
  edges: [["image", "conv1"], ["conv1", "scores"]],
  outputs: ["scores"],
  title: "mine",
  blocks: { basic: { nodes: [], edges: [], outputs: [] } },
};

describe("names", () => {
  it("are short words of the type", () => {
    const told = { Conv2d: "conv", BatchNorm2d: "batch_norm", ReLU: "relu", LeakyReLU: "leaky_relu", GELU: "gelu", LSTM: "lstm", MaxPool2d: "max_pool", S4D: "s4d" };
    for (const [type, name] of Object.entries(told)) expect(baseName(type)).toBe(name);
    expect(baseName("3D!")).toBe("layer_3d_");
  });

  it("take the first free number", () => {
    expect(freshName(new Set(["conv1", "conv3"]), "Conv2d")).toBe("conv2");
  });
});

describe("links", () => {
  const spec: Spec = { version: 1, nodes: [], edges: [["a", "t"], ["b", "t", 0], ["c.1", "t"], ["d", "t", 3], ["e", "t"]], outputs: [] };

  it("fill the places that no port has taken, in order", () => {
    expect(links(spec).map((link) => [link.source, link.port])).toEqual([["a", 1], ["b", 0], ["c", 2], ["d", 3], ["e", 4]]);
    expect(incoming(spec, "t").map((link) => link.source)).toEqual(["b", "a", "c", "d", "e"]);
  });

  it("know the source's output", () => {
    expect(links(spec)[2]).toMatchObject({ source: "c", end: "c.1" });
  });
});

describe("reading", () => {
  it("keeps all that other parts put into a spec", () => {
    expect(readSpec(JSON.stringify(LENET))).toEqual(LENET);
  });

  it("takes a spec without outputs, and null for a port", () => {
    const spec = readSpec({ nodes: LENET.nodes, edges: [["image", "conv1", null]] });
    expect(spec).toMatchObject({ version: 1, outputs: [], edges: [["image", "conv1"]] });
  });

  it("says what is wrong, in words", () => {
    const wrong: [unknown, RegExp][] = [
      ["{", /not JSON/],
      [[], /JSON object/],
      [{ version: 2, nodes: [] }, /version 1/],
      [{ nodes: [{ id: 3, type: "ReLU" }] }, /Node number 1/],
      [{ nodes: [{ id: "a", type: "x" }, { id: "a", type: "x" }] }, /Two nodes are called “a”/],
      [{ nodes: [{ id: "a", type: "x", params: [] }] }, /params/],
      [{ nodes: [], edges: [["a", "b"]] }, /not a node/],
      [{ nodes: [], edges: [["a"]] }, /Edge number 1/],
      [{ nodes: [{ id: "a", type: "x" }], edges: [["a", "a", -1]] }, /Edge number 1/],
      [{ nodes: [], outputs: ["z"] }, /output/],
    ];
    for (const [source, words] of wrong) expect(() => readSpec(source)).toThrow(words);
  });

  it("drops a place that is none", () => {
    expect(readSpec({ nodes: [{ id: "a", type: "x", position: [1, "2"] }] }).nodes[0]).toEqual({ id: "a", type: "x" });
  });
});

it("finds a shortest way and an order of flow", () => {
  const spec = readSpec({ nodes: ["d", "c", "b", "a"].map((id) => ({ id, type: "x" })), edges: [["a", "b"], ["b", "c"], ["c", "d"], ["a", "c"]] });
  expect(path(spec, "a", "d")).toEqual(["a", "c", "d"]);
  expect(path(spec, "d", "a")).toBeUndefined();
  expect(flowOrder(spec)).toEqual(["a", "b", "c", "d"]);
});

it("gives every node of a circle a place in the order", () => {
  const spec = readSpec({ nodes: ["a", "b"].map((id) => ({ id, type: "x" })), edges: [["a", "b"], ["b", "a"]] });
  expect(flowOrder(spec)).toEqual(["a", "b"]);
});

it("does not count places as structure", () => {
  const spec = readSpec(LENET);
  const moved = { ...spec, nodes: spec.nodes.map((node) => ({ ...node, position: [9, 9] as const })) };
  expect(structure(moved)).toBe(structure(spec));
});

it("a network is itself however it was written down", () => {
  const written = { nodes: [{ type: "Input", id: "a", params: {}, frozen: false, position: [1, 2] }], version: 1, blocks: {}, edges: [] };
  const left = { version: 1, nodes: [{ id: "a", type: "Input" }], edges: [], outputs: [] };
  expect(identity(readSpec(written))).toBe(identity(readSpec(left)));
  expect(identity(readSpec({ ...left, nodes: [{ id: "a", type: "Input", cut: [[1]] }] }))).not.toBe(identity(readSpec(left)));
});
