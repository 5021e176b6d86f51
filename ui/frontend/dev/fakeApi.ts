/** Answers like the server's for a handful of layers: enough to look at the builder without it. */
import type { Description, Field, LayerType, NodeFacts, Problem } from "../src/builder/api";
import { insertOnEdge } from "../src/builder/edits";
import { flowOrder, incoming, links, nodeOf, type Spec, type SpecEdge, type SpecNode } from "../src/builder/spec";

type Size = number[];

const field = (name: string, kind: Field["kind"], value: unknown, more: Partial<Field> = {}): Field => ({
  name, kind, default: value, low: null, high: null, options: [], help: "", required: false, optional: false, ...more,
});
const channels = [
  field("in_channels", "integer", null, { optional: true, low: 0, help: "Channels that come in; found from the input" }),
  field("out_channels", "integer", null, { required: true, low: 1, high: 10_000_000, help: "How many filters, one channel each" }),
];
const window_ = [
  field("kernel_size", "integers", null, { required: true, low: 1, high: 10_000 }),
  field("stride", "integers", 1, { low: 1 }),
  field("padding", "integers", 0, { low: 0, options: ["same", "valid"] }),
];
const layer = (type: string, category: string, help: string, fields: Field[] = [], inputs: LayerType["inputs"] = [1, 1]): LayerType => ({
  type, category, help, source: "", inputs, fields,
});

const LAYERS: LayerType[] = [
  layer("Input", "Input", "Takes what the network is given: pictures, numbers or words.", [field("shape", "integers", null, { optional: true })], [0, 0]),
  layer("Linear", "Basic", "Multiplies by a matrix of weights and adds a bias: every output sees every input.", [
    field("in_features", "integer", null, { optional: true }),
    field("out_features", "integer", null, { required: true, low: 1, help: "Numbers that come out" }),
    field("bias", "toggle", true),
  ]),
  layer("Conv2d", "Convolution", "Slides small filters over an image and writes how well each fits at every place.", [
    ...channels, ...window_, field("bias", "toggle", true),
    field("padding_mode", "choice", "zeros", { options: ["zeros", "reflect", "replicate", "circular"] }),
  ]),
  layer("MaxPool2d", "Pooling", "Keeps the largest value of each window.", window_),
  layer("BatchNorm2d", "Normalisation", "Shifts and scales each channel to mean 0 and variance 1 over the batch.", [field("eps", "number", 1e-5, { low: 0 })]),
  layer("ReLU", "Activation", "Sets negative values to zero."),
  layer("Sigmoid", "Activation", "Squeezes every value between 0 and 1."),
  layer("Dropout", "Regularisation", "Sets values to zero at random while training.", [field("p", "number", 0.5, { low: 0, high: 1, help: "Which share is dropped" })]),
  layer("Flatten", "Shape", "Writes all axes one after the other into a single one."),
  layer("Add", "Joining", "Adds its inputs: a residual connection when one of them skips some layers.", [], [2, null]),
  layer("Bilinear", "Joining", "Joins two inputs by a product.", [field("out_features", "integer", null, { required: true })], [2, 2]),
];

function chain(nodes: SpecNode[]): Spec {
  const edges = nodes.slice(1).map((node, at): SpecEdge => [(nodes[at] as SpecNode).id, node.id]);
  return { version: 1, nodes, edges, outputs: [(nodes.at(-1) as SpecNode).id] };
}

const image: SpecNode = { id: "image", type: "Input", params: { shape: [1, 28, 28] } };
const conv = (id: string, out: number, kernel: number, more: object = {}): SpecNode => ({ id, type: "Conv2d", params: { out_channels: out, kernel_size: kernel, ...more } });
const linear = (id: string, out: number): SpecNode => ({ id, type: "Linear", params: { out_features: out } });
const relu = (id: string): SpecNode => ({ id, type: "ReLU" });
const pool = (id: string): SpecNode => ({ id, type: "MaxPool2d", params: { kernel_size: 2, stride: 2 } });

export const networks: Record<string, () => Spec> = {
  empty: () => ({ version: 1, nodes: [], edges: [], outputs: [] }),
  lenet: () =>
    chain([
      image, conv("conv1", 6, 5), relu("relu1"), pool("pool1"), conv("conv2", 16, 5), relu("relu2"), pool("pool2"),
      { id: "flatten", type: "Flatten" }, linear("linear1", 120), relu("relu3"), linear("linear2", 84), relu("relu4"), linear("scores", 10),
    ]),
  broken: () =>
    chain([image, conv("conv1", 6, 5), relu("relu1"), pool("pool1"), conv("conv2", 16, 13, { padding: 0 }), relu("relu2"), linear("scores", 10)]),
  residual: () => {
    const body = chain([
      image, conv("stem", 16, 3, { padding: 1 }), relu("relu1"), conv("conv1", 16, 3, { padding: 1 }), { id: "norm1", type: "BatchNorm2d" }, relu("relu2"),
      conv("conv2", 16, 3, { padding: 1 }), { id: "add1", type: "Add" }, pool("pool1"), conv("conv3", 16, 3, { padding: 1 }), relu("relu3"),
      conv("conv4", 16, 3, { padding: 1 }), { id: "add2", type: "Add" }, { id: "flatten", type: "Flatten" }, linear("scores", 10),
    ]);
    return { ...body, edges: [...body.edges, ["relu1", "add1"], ["pool1", "add2"]] };
  },
  names: () =>
    chain([
      { id: "image", type: "Input", params: { shape: [1, 28, 28] }, label: "<img src=x onerror=alert(1)>" },
      conv("a_very_long_name_that_nobody_would_ever_choose_for_a_layer", 123456, 5, { padding_mode: "<b>bold</b>" }),
      { id: "odd", type: "<script>alert(1)</script>", params: { text: "<i>x</i>".repeat(40) } },
    ]),
  chain300: () => {
    const nodes: SpecNode[] = [image];
    const edges: SpecEdge[] = [];
    let last = "image";
    for (let block = 1; nodes.length < 299; block += 1) {
      const parts = [conv(`conv${2 * block - 1}`, 16, 3, { padding: 1 }), relu(`relu${2 * block - 1}`), conv(`conv${2 * block}`, 16, 3, { padding: 1 }), { id: `add${block}`, type: "Add" }, relu(`relu${2 * block}`)];
      nodes.push(...parts);
      const skip = last;
      for (const part of parts) {
        edges.push([last, part.id]);
        last = part.id;
      }
      edges.push([skip, `add${block}`]);
    }
    return { version: 1, nodes, edges, outputs: [last] };
  },
};

/** What the server would answer. */
export function answer(path: string, body: string | undefined): unknown {
  if (path === "layers") return LAYERS;
  if (path === "templates")
    return Object.keys(networks).map((name) => ({ name, title: name, family: "Examples", parameters: 44_426, trainable: true }));
  if (path.startsWith("templates/")) return networks[path.slice(10)]?.();
  const spec = JSON.parse(body ?? "{}") as Spec;
  return path === "code" ? { script: script(spec) } : describe(spec);
}

function describe(spec: Spec): Description {
  const nodes: Record<string, NodeFacts> = {};
  const known = new Map<string, Size | null>();
  for (const id of flowOrder(spec)) {
    const node = nodeOf(spec, id) as SpecNode;
    const inputs = incoming(spec, id).map((link) => known.get(link.source) ?? null);
    const facts = { ...measure(spec, node, inputs), inputs };
    nodes[id] = facts;
    known.set(id, facts.output ? [...facts.output].map(Number) : null);
  }
  const edges = links(spec).map(({ source, target }) => ({ source, target, shape: known.get(source) ?? null }));
  const sum = (key: "parameters" | "flops" | "memory"): number => Object.values(nodes).reduce((total, facts) => total + facts[key], 0);
  return { nodes, edges, problems: [], totals: { parameters: sum("parameters"), flops: sum("flops"), memory: sum("memory"), receptive_field: 16 } };
}

type Measured = Omit<NodeFacts, "inputs">;

function measure(spec: Spec, node: SpecNode, inputs: (Size | null)[]): Measured {
  const params = (node.params ?? {}) as Record<string, number>;
  const [first] = inputs;
  if (node.type === "Input") return facts((node.params?.shape as Size | undefined) ?? [1, 28, 28], 0);
  if (inputs.length === 0) return facts(null, 0, [{ level: "error", text: `${node.id} gets nothing: connect a layer to it.` }]);
  if (!first) return facts(null, 0);
  if (node.type === "Conv2d") {
    const out = first.slice(1).map((size) => Math.floor((size + 2 * (params.padding ?? 0) - (params.kernel_size ?? 1)) / (params.stride ?? 1)) + 1);
    if (out.some((size) => size < 1)) return facts(null, 0, [tooLarge(spec, node, first)]);
    const weights = (params.out_channels ?? 1) * ((first[0] ?? 1) * (params.kernel_size ?? 1) ** 2 + 1);
    return { ...facts([params.out_channels ?? 1, ...out], weights), receptive_field: 5, code: `nn.Conv2d(${first[0]}, ${params.out_channels}, kernel_size=${params.kernel_size})` };
  }
  if (node.type === "MaxPool2d") return facts([first[0] ?? 1, ...first.slice(1).map((size) => Math.floor(size / (params.kernel_size ?? 2)))], 0);
  if (node.type === "Flatten") return facts([first.reduce((product, size) => product * size, 1)], 0);
  if (node.type === "Linear") return fullyConnected(spec, node, first, params.out_features ?? 1);
  if (node.type === "Sigmoid") return facts(first, 0, [{ level: "warning", text: "Deep in a network a sigmoid lets little gradient through; ReLU is the usual choice.", fixes: [{ text: "Use ReLU", spec: { ...spec, nodes: spec.nodes.map((old) => (old.id === node.id ? { ...old, type: "ReLU" } : old)) } }] }]);
  return facts(first, node.type === "BatchNorm2d" ? 2 * (first[0] ?? 1) : 0);
}

function fullyConnected(spec: Spec, node: SpecNode, input: Size, out: number): Measured {
  if (input.length === 1) return { ...facts([out], out * ((input[0] ?? 1) + 1)), code: `nn.Linear(${input[0]}, ${out})` };
  const feed = incoming(spec, node.id)[0];
  const problem: Problem = {
    level: "error",
    text: `${node.id} wants one row of numbers, but ${feed?.source} sends ${input.join(" × ")}: a matrix of weights cannot be put over ${input.length} axes.`,
    fixes: feed ? [{ text: "Insert Flatten before it", spec: insertOnEdge(spec, feed.index, "Flatten").spec }] : [],
  };
  return facts(null, 0, [problem]);
}

function tooLarge(spec: Spec, node: SpecNode, input: Size): Problem {
  const change = (params: object): Spec => ({ ...spec, nodes: spec.nodes.map((old) => (old.id === node.id ? { ...old, params: { ...old.params, ...params } } : old)) });
  const kernel = Number(node.params?.kernel_size);
  return {
    level: "error",
    text: `The kernel of ${node.id} is ${kernel} × ${kernel}, larger than the ${input.slice(1).join(" × ")} that comes in: ${input[1]} + 2·0 − ${kernel} + 1 = ${Number(input[1]) - kernel + 1}.`,
    fixes: [
      { text: "Add padding 6", spec: change({ padding: 6 }) },
      { text: "Make the kernel 5", spec: change({ kernel_size: 5 }) },
    ],
  };
}

function facts(output: Size | null, parameters: number, problems: Problem[] = []): Measured {
  const size = output?.reduce((product, axis) => product * axis, 1) ?? 0;
  return { output, parameters, flops: 2 * size * Math.max(1, parameters / 16), memory: 4 * size, receptive_field: null, code: null, problems };
}

function script(spec: Spec): string {
  const lines = spec.nodes.filter((node) => node.type !== "Input").map((node) => `        self.${node.id} = nn.${node.type}()`);
  return `import torch\nfrom torch import nn\n\n\nclass Network(nn.Module):\n    def __init__(self) -> None:\n        super().__init__()\n${lines.join("\n")}\n`;
}
