import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answer, networks } from "../../dev/fakeApi";
import { Model } from "./model";
import { nodeOf, readSpec, type Spec } from "./spec";
import { neighbour } from "./walk";

const BASE = "http://api.test";
let sent: { spec: Spec; revision: number }[] = [];
let down = false;
let asked: string[] = [];
const models: Model[] = [];

function open(spec: unknown, more: object = {}): Model {
  const model = new Model({ spec, revision: 1, api: BASE, ...more }, (message) => sent.push(message as never));
  models.push(model);
  return model;
}

/** Lets everything happen that is due within a while. */
const pass = async (milliseconds = 0): Promise<void> => void (await vi.advanceTimersByTimeAsync(milliseconds));

beforeEach(() => {
  vi.useFakeTimers();
  [sent, asked, down] = [[], [], false];
  vi.stubGlobal("fetch", async (input: string, init?: RequestInit) => {
    if (down) throw new TypeError("Failed to fetch");
    const path = input.slice(BASE.length + 1);
    asked.push(path);
    if (path === "templates/gone") return Response.json({ error: "there is no template 'gone'" }, { status: 404 });
    return Response.json(answer(path, init?.body as string | undefined));
  });
});

afterEach(() => {
  for (const model of models.splice(0)) model.destroy();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the page", () => {
  it("is told nothing on arrival, of looking or of an empty edit", async () => {
    const model = open(networks.lenet?.());
    model.select(["conv1"]);
    model.setParam("conv1", "kernel_size", 5);
    await pass(5000);
    expect(sent).toEqual([]);
  });

  it("is told once of quick edits, with the next revision", async () => {
    const model = open(networks.lenet?.());
    await pass();
    model.setParam("conv1", "kernel_size", 3);
    model.setParam("conv1", "out_channels", 8);
    await pass(1000);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.revision).toBe(3);
    expect(nodeOf(sent[0]?.spec as Spec, "conv1")?.params).toEqual({ out_channels: 8, kernel_size: 3 });
  });

  it("cannot undo an edit with its echo", async () => {
    const model = open(networks.lenet?.());
    model.setParam("conv1", "kernel_size", 3);
    await pass(1000);
    model.setParam("conv1", "kernel_size", 7);
    model.update({ spec: sent[0]?.spec, revision: sent[0]?.revision as number });
    expect(nodeOf(model.state.spec, "conv1")?.params?.kernel_size).toBe(7);
  });

  it("puts a newer network in the place of this one", async () => {
    const model = open(networks.lenet?.());
    model.update({ spec: networks.residual?.(), revision: 9 });
    await pass(1000);
    expect(model.state.spec).toEqual(networks.residual?.());
    expect(model.state.canUndo).toBe(false);
    expect(sent).toEqual([]);
  });

  it("gets the last edit when the canvas goes away", async () => {
    const model = open(networks.lenet?.());
    model.select(["relu1"]);
    model.removeSelection();
    model.destroy();
    expect(sent).toHaveLength(1);
  });

  it("may forbid edits", async () => {
    const model = open(networks.lenet?.(), { readonly: true });
    model.select(["conv1"]);
    model.removeSelection();
    model.undo();
    await pass(1000);
    expect(sent).toEqual([]);
    expect(model.state.notice).toMatch(/only be looked at/);
  });
});

describe("the server", () => {
  it("is asked for every change of structure, not for a move", async () => {
    const model = open(networks.lenet?.());
    await pass();
    expect(model.facts("conv1")?.output).toEqual([6, 24, 24]);
    const before = asked.filter((path) => path === "describe").length;
    model.move(new Map([["conv1", [5, 5]]]));
    await pass(1000);
    expect(asked.filter((path) => path === "describe")).toHaveLength(before);
    model.setParam("conv1", "kernel_size", 3);
    await pass();
    expect(model.facts("conv1")?.output).toEqual([6, 26, 26]);
  });

  it("may be away: edits go on, and it is asked again", async () => {
    down = true;
    const model = open(networks.lenet?.());
    await pass();
    expect(model.state.online).toBe(false);
    model.select(["relu1"]);
    model.removeSelection();
    await pass(1000);
    expect(sent).toHaveLength(1);
    down = false;
    await pass(4000);
    expect(model.state.online).toBe(true);
    expect(model.state.layers.length).toBeGreaterThan(0);
    expect(model.facts("pool1")?.output).toEqual([6, 12, 12]);
  });

  it("writes the code once the panel is open, and after every edit", async () => {
    const model = open(networks.lenet?.());
    await pass();
    expect(asked).not.toContain("code");
    model.toggleCode();
    await pass();
    expect(model.state.code).toContain("self.relu1");
    model.select(["relu1"]);
    model.removeSelection();
    await pass();
    expect(model.state.code).not.toContain("self.relu1");
  });

  it("offers repairs that are steps like others", async () => {
    const model = open(networks.broken?.());
    await pass();
    const fix = model.facts("conv2")?.problems[0]?.fixes?.[1];
    expect(fix?.text).toBe("Make the kernel 5");
    model.applyFix(fix as never);
    await pass();
    expect(model.facts("conv2")?.problems).toEqual([]);
    expect(model.state.said).toMatch(/1 problem at scores/);
    model.undo();
    expect(model.state.spec).toEqual(networks.broken?.());
  });

  it("names what it does not have", async () => {
    const model = open(networks.lenet?.());
    await model.loadTemplate("gone", "Gone");
    expect(model.state.notice).toBe("there is no template 'gone'");
  });
});

describe("edits", () => {
  it("choose what was added, and go on from it", async () => {
    const model = open(networks.lenet?.());
    await pass();
    model.select(["conv1"]);
    model.append("BatchNorm2d");
    expect([...model.state.selection]).toEqual(["batch_norm1"]);
    model.append("Dropout");
    expect(model.state.spec.edges.filter(([source]) => ["conv1", "batch_norm1", "dropout1"].includes(source))).toEqual([
      ["dropout1", "relu1"], ["conv1", "batch_norm1"], ["batch_norm1", "dropout1"],
    ]);
  });

  it("give a new layer what its form demands, like the last of its kind", async () => {
    const model = open(networks.lenet?.());
    await pass();
    model.append("Conv2d");
    expect(nodeOf(model.state.spec, "conv3")?.params).toEqual({ out_channels: 16, kernel_size: 5 });
    model.append("MaxPool2d");
    expect(nodeOf(model.state.spec, "max_pool1")?.params).toEqual({ kernel_size: 2 });
  });

  it("that must not be are told and change nothing", async () => {
    const model = open(networks.lenet?.());
    await pass();
    model.connect("scores", "conv1");
    expect(model.state.notice).toMatch(/would close a circle/);
    expect(model.state.canUndo).toBe(false);
  });

  it("can all be taken back, more than a hundred", async () => {
    const model = open(networks.lenet?.());
    await pass();
    for (let time = 0; time < 120; time += 1) model.append("ReLU");
    for (let time = 0; time < 120; time += 1) model.undo();
    expect(model.state.spec).toEqual(networks.lenet?.());
  }, 30_000);

  it("copy from one place to another", async () => {
    const model = open(networks.lenet?.());
    await pass();
    model.select(["conv1", "relu1", "pool1"]);
    model.copySelection();
    model.select(["pool2"]);
    model.paste();
    expect([...model.state.selection]).toEqual(["conv3", "relu5", "max_pool1"]);
    expect(model.state.spec.edges).toContainEqual(["pool2", "conv3"]);
    expect(model.state.spec.edges).toContainEqual(["max_pool1", "flatten"]);
  });

  it("survive a network that is none", async () => {
    const model = open({ nodes: "no" });
    expect(model.state.notice).toMatch(/could not be shown/);
    expect(model.load("{", "paste")).toBe(false);
    expect(model.load({ nodes: [{ id: "a", type: "Input" }] }, "paste")).toBe(true);
  });
});

it("walks along the connections and to the branch beside", () => {
  const spec = readSpec({ nodes: ["a", "b", "c", "d"].map((id) => ({ id, type: "x" })), edges: [["a", "b"], ["a", "c"], ["b", "d"], ["c", "d"]] });
  expect(neighbour(spec, "a", "after")).toBe("b");
  expect(neighbour(spec, "d", "before")).toBe("b");
  expect(neighbour(spec, "b", "beside+")).toBe("c");
  expect(neighbour(spec, "b", "beside-")).toBe("c");
  expect(neighbour(spec, "a", "before")).toBeUndefined();
});
