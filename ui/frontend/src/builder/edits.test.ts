import { describe, expect, it } from "vitest";
import * as clip from "./clip";
import * as edits from "./edits";
import { group, unpack } from "./group";
import { incoming, readSpec, Refusal, type Spec, type SpecEdge } from "./spec";

const arity: edits.ArityOf = (type) =>
  ({ Input: [0, 0], Add: [2, null], Bilinear: [2, 2], Attention: [3, 3] })[type] as edits.Arity | undefined ?? [1, 1];

function net(...edges: SpecEdge[]): Spec {
  const ids = [...new Set(edges.flatMap(([source, target]) => [source.split(".")[0] as string, target]))];
  const types: Record<string, string> = { image: "Input", add: "Add", both: "Bilinear", look: "Attention" };
  return { version: 1, nodes: ids.map((id) => ({ id, type: types[id] ?? "Linear" })), edges, outputs: [] };
}

const CHAIN = net(["image", "a"], ["a", "b"], ["b", "c"]);
const RESIDUAL = net(["image", "a"], ["a", "b"], ["b", "add"], ["a", "add"], ["add", "c"]);

describe("insert on an edge", () => {
  it("puts the new node between source and target", () => {
    const { spec, added } = edits.insertOnEdge(CHAIN, 1, "ReLU");
    expect(added).toEqual(["relu1"]);
    expect(spec.edges).toEqual([["image", "a"], ["a", "relu1"], ["relu1", "b"], ["b", "c"]]);
    expect(spec.nodes.map((node) => node.id)).toEqual(["image", "a", "relu1", "b", "c"]);
  });

  it("keeps the order of the target's inputs", () => {
    const { spec } = edits.insertOnEdge(RESIDUAL, 2, "ReLU");
    expect(incoming(spec, "add").map((link) => link.source)).toEqual(["relu1", "a"]);
  });

  it("keeps the port and a source's second output", () => {
    const { spec } = edits.insertOnEdge(net(["lstm.1", "both", 1]), 0, "Dropout");
    expect(spec.edges).toEqual([["lstm.1", "dropout1"], ["dropout1", "both", 1]]);
  });

  it("refuses a layer that takes no input", () => {
    expect(() => edits.insertOnEdge(CHAIN, 0, "Input", {}, arity)).toThrow(/takes no input/);
  });
});

describe("append", () => {
  it("takes over what the node fed", () => {
    const { spec } = edits.append(RESIDUAL, "a", "ReLU");
    expect(spec.edges).toEqual([["image", "a"], ["relu1", "b"], ["b", "add"], ["relu1", "add"], ["add", "c"], ["a", "relu1"]]);
  });

  it("takes over its place as an output", () => {
    expect(edits.append({ ...CHAIN, outputs: ["c"] }, "c", "Softmax").spec.outputs).toEqual(["softmax1"]);
  });

  it("begins a second way as a branch", () => {
    const { spec } = edits.append({ ...CHAIN, outputs: ["c"] }, "a", "ReLU", {}, { branch: true });
    expect(spec.edges).toEqual([...CHAIN.edges, ["a", "relu1"]]);
    expect(spec.outputs).toEqual(["c"]);
  });

  it("joins nothing to a layer without inputs", () => {
    expect(edits.append(CHAIN, "c", "Input", {}, { arity }).spec.edges).toEqual(CHAIN.edges);
  });
});

describe("remove", () => {
  it("lets the feed of a node feed what the node fed", () => {
    expect(edits.remove(CHAIN, ["b"]).edges).toEqual([["image", "a"], ["a", "c"]]);
  });

  it("bridges a whole selection, whatever its order", () => {
    for (const order of [["a", "b"], ["b", "a"]]) expect(edits.remove(CHAIN, order).edges).toEqual([["image", "c"]]);
  });

  it("keeps the other inputs where they were", () => {
    const spec = edits.remove(RESIDUAL, ["b"]);
    expect(incoming(spec, "add").map((link) => link.source)).toEqual(["a", "a"]);
  });

  it("bridges a join with its first input", () => {
    expect(edits.remove(RESIDUAL, ["add"]).edges).toContainEqual(["b", "c"]);
  });

  it("hands the place as an output to what fed the node", () => {
    expect(edits.remove({ ...CHAIN, outputs: ["c"] }, ["c"]).outputs).toEqual(["b"]);
    expect(edits.remove({ ...CHAIN, outputs: ["b", "c"] }, ["c"]).outputs).toEqual(["b"]);
    expect(edits.remove({ ...CHAIN, outputs: ["image"] }, ["image"]).outputs).toEqual([]);
  });

  it("removes the wires of an input's node", () => {
    expect(edits.remove(CHAIN, ["image"]).edges).toEqual([["a", "b"], ["b", "c"]]);
  });
});

describe("connect", () => {
  it("tells of the circle it would close", () => {
    expect(() => edits.connect(CHAIN, "c", "a", undefined, arity)).toThrow("Connecting c to a would close a circle (a → b → c → a). Values must flow one way.");
    expect(() => edits.connect(CHAIN, "b", "b", undefined, arity)).toThrow(/cannot feed itself/);
    expect(() => edits.connect(CHAIN, "c", "a")).toThrow(Refusal);
  });

  it("refuses to feed an input", () => {
    expect(() => edits.connect(net(["a", "b"], ["image", "c"]), "b", "image", undefined, arity)).toThrow(/nothing can be connected/);
  });

  it("replaces the feed of a node that takes one", () => {
    expect(edits.connect(CHAIN, "image", "c", undefined, arity).edges).toEqual([["image", "a"], ["a", "b"], ["image", "c"]]);
  });

  it("adds to a node that takes any number", () => {
    const spec = edits.connect(RESIDUAL, "image", "add", undefined, arity);
    expect(incoming(spec, "add").map((link) => link.source)).toEqual(["b", "a", "image"]);
  });

  it("fills the free place of a node with ports and writes the ports down", () => {
    const spec = edits.connect(net(["a", "both", 1], ["image", "b"]), "b", "both", undefined, arity);
    expect(spec.edges).toContainEqual(["b", "both", 0]);
  });

  it("replaces what stands at the port that was hit", () => {
    const spec = edits.connect(net(["a", "look"], ["b", "look"], ["c", "look"], ["image", "d"]), "d", "look", 1, arity);
    expect(incoming(spec, "look").map((link) => link.source)).toEqual(["a", "d", "c"]);
  });

  it("lets one source feed several ports", () => {
    const spec = edits.connect(net(["a", "look", 0]), "a", "look", 2, arity);
    expect(spec.edges).toEqual([["a", "look", 0], ["a", "look", 2]]);
  });
});

describe("disconnect and reconnect", () => {
  it("moves no other input of a node with ports", () => {
    const spec = edits.disconnect(net(["a", "look"], ["b", "look"], ["c", "look"]), 1, arity);
    expect(spec.edges).toEqual([["a", "look", 0], ["c", "look", 2]]);
  });

  it("moves the source of a wire and keeps its place", () => {
    const spec = edits.reconnect(RESIDUAL, 2, "a", "add", undefined, arity);
    expect(incoming(spec, "add").map((link) => link.source)).toEqual(["a", "a"]);
  });

  it("does not count the wire itself as a part of a circle", () => {
    expect(edits.reconnect(net(["a", "b"], ["b", "c"]), 1, "a", "c", undefined, arity).edges).toEqual([["a", "b"], ["a", "c"]]);
  });

  it("refuses a circle and leaves all as it was", () => {
    expect(() => edits.reconnect(CHAIN, 0, "c", "a", undefined, arity)).toThrow(/circle/);
  });
});

describe("names and parameters", () => {
  it("renames a node everywhere", () => {
    const spec = edits.rename({ ...net(["lstm", "a"], ["lstm.1", "b"]), outputs: ["lstm.1"] }, "lstm", "memory");
    expect(spec.edges).toEqual([["memory", "a"], ["memory.1", "b"]]);
    expect(spec.outputs).toEqual(["memory.1"]);
  });

  it("refuses names that Python or the network cannot have", () => {
    for (const name of ["", "2conv", "a b", "class", "b", "_x", "é", "x".repeat(61)]) expect(() => edits.rename(CHAIN, "a", name), name).toThrow(Refusal);
    expect(() => edits.rename(CHAIN, "a", "a")).not.toThrow();
  });

  it("sets a parameter and takes it back to its default", () => {
    const set = edits.setParam(CHAIN, "a", "out_features", 5);
    expect(set.nodes[1]?.params).toEqual({ out_features: 5 });
    expect(edits.setParam(set, "a", "out_features", undefined)).toEqual(CHAIN);
  });
});

describe("copy, paste, duplicate", () => {
  it("repeats a chain behind itself", () => {
    const { spec, added } = clip.duplicate(CHAIN, new Set(["a", "b"]), arity);
    expect(added).toEqual(["linear1", "linear2"]);
    expect(new Set(spec.edges.map(String))).toEqual(new Set(["image,a", "a,b", "b,linear1", "linear1,linear2", "linear2,c"]));
  });

  it("repeats a residual block with its skip", () => {
    const { spec } = clip.duplicate(RESIDUAL, new Set(["a", "b", "add"]), arity);
    expect(new Set(spec.edges.map(String))).toEqual(
      new Set(["image,a", "a,b", "b,add", "a,add", "add,linear1", "linear1,linear2", "linear2,add1", "linear1,add1", "add1,c"]),
    );
    expect(incoming(spec, "add1").map((link) => link.source)).toEqual(["linear2", "linear1"]);
  });

  it("puts a fragment with two entrances by itself", () => {
    const { spec } = clip.paste(CHAIN, clip.copy(net(["a", "add"], ["b", "add"]), new Set(["a", "b", "add"])), "c", arity);
    expect(spec.edges).toEqual([...CHAIN.edges, ["linear1", "add1"], ["linear2", "add1"]]);
  });

  it("never feeds an input that was copied", () => {
    const { spec } = clip.duplicate(CHAIN, new Set(["image"]), arity);
    expect(spec.edges).toEqual(CHAIN.edges);
  });

  it("shares nothing with the original and collides with no name", () => {
    let spec = CHAIN;
    for (let time = 0; time < 4; time += 1) spec = clip.duplicate(spec, new Set(["a", "b"]), arity).spec;
    expect(() => readSpec(spec)).not.toThrow();
    expect(spec.nodes).toHaveLength(12);
  });
});

it("whatever is done, the result is a network that can be read", () => {
  // A fixed sequence of pseudo-random edits: xorshift, so that a failure can be repeated.
  let state = 2463534242;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const types = ["Linear", "Add", "Bilinear", "ReLU", "Input", "Attention"];
  let spec: Spec = RESIDUAL;
  for (let step = 0; step < 600; step += 1) {
    const id = (): string => spec.nodes[random(spec.nodes.length)]?.id ?? "";
    const type = types[random(types.length)] as string;
    const tries: (() => Spec)[] = [
      () => edits.append(spec, id(), type, {}, { branch: random(2) === 0, arity }).spec,
      () => edits.insertOnEdge(spec, random(spec.edges.length + 1), type, {}, arity).spec,
      () => edits.remove(spec, [id(), ...(random(2) ? [id()] : [])]),
      () => edits.connect(spec, id(), id(), random(2) ? random(3) : undefined, arity),
      () => edits.disconnect(spec, random(spec.edges.length + 1), arity),
      () => edits.reconnect(spec, random(spec.edges.length + 1), id(), id(), undefined, arity),
      () => (spec.nodes.length < 40 ? clip.duplicate(spec, new Set([id(), id()]), arity).spec : edits.remove(spec, [id(), id()])),
      () => edits.rename(spec, id(), `name${random(1000)}`),
      () => group(spec, new Set([id(), id(), id()])).spec,
      () => unpack(spec, spec.nodes.find((node) => node.type === "Block")?.id ?? id()).spec,
    ];
    try {
      spec = (tries[random(tries.length)] as () => Spec)();
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
    }
    if (spec.nodes.length === 0) spec = RESIDUAL;
    readSpec(spec);
    for (const [source, target] of spec.edges) expect(edits.remove(spec, [source, target])).toBeDefined();
  }
});
