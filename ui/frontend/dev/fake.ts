/** Made-up runs that speak the wire format: every kind of view, moving. */
import type { Entry } from "../src/live/controls/control";
import type { Layout } from "../src/live/stage";

type Arrays = { shape: number[]; data: ArrayLike<number>; byte?: boolean };
export interface Scene {
  form?: Entry[];
  layout?: Layout;
  header?: Record<string, unknown>;
  views(t: number, live: Record<string, unknown>): Record<string, unknown>;
  facts?(t: number): Record<string, number>;
}

export function array(shape: number[], data: ArrayLike<number>, byte = false): Arrays {
  return { shape, data, byte };
}

function isArray(value: unknown): value is Arrays {
  return typeof value === "object" && value !== null && "shape" in value && "data" in value;
}

/** A message as `ui/live/wire.py` would write it. */
export function encode(header: Record<string, unknown>): ArrayBuffer {
  const parts: Uint8Array[] = [];
  let offset = 0;
  const json = JSON.stringify(header, (_, value: unknown) => {
    if (typeof value === "number" && !Number.isFinite(value)) return null;
    if (!isArray(value)) return value;
    const n = value.data.length;
    const at = offset;
    let low = Infinity;
    let high = -Infinity;
    for (let i = 0; i < n; i++) {
      const one = value.data[i]!;
      if (one < low) low = one;
      if (one > high) high = one;
    }
    const bytes = value.byte
      ? Uint8Array.from(value.data, (one) => (Number.isNaN(one) ? 255 : Math.round((254 * (one - low)) / (high - low || 1))))
      : new Uint8Array(Float32Array.from(value.data).buffer);
    parts.push(bytes, new Uint8Array((8 - (bytes.length % 8)) % 8));
    offset += Math.ceil(bytes.length / 8) * 8;
    return { $: at, n, shape: value.shape, type: value.byte ? "u1" : "f4", ...(value.byte ? { low, high } : {}) };
  });
  let text = new TextEncoder().encode(json);
  const padding = (8 - ((4 + text.length) % 8)) % 8;
  text = new Uint8Array([...text, ...new Array<number>(padding).fill(32)]);
  const buffer = new Uint8Array(4 + text.length + offset);
  new DataView(buffer.buffer).setUint32(0, text.length, true);
  buffer.set(text, 4);
  let at = 4 + text.length;
  for (const part of parts) {
    buffer.set(part, at);
    at += part.length;
  }
  return buffer.buffer;
}

/** Sends thirty messages a second, or one. */
export class FakeSocket {
  static scene: Scene;
  static still = false;
  static commands: unknown[] = [];
  binaryType = "";
  readyState = 1;
  onmessage: ((event: { data: ArrayBuffer }) => void) | null = null;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  private readonly timer: ReturnType<typeof setInterval>;
  private live: Record<string, unknown> = {};
  private step = 0;

  constructor() {
    setTimeout(() => {
      this.onopen?.();
      if (FakeSocket.still) this.step = 90;
      this.tell();
    });
    this.timer = setInterval(() => !FakeSocket.still && this.tell(), 33);
  }

  private tell(): void {
    this.step = (this.step + 1) % 400;
    const { scene } = FakeSocket;
    const views = scene.views(this.step / 30, this.live);
    this.onmessage?.({
      data: encode({
        run: "made-up", state: "running", place: null, step: this.step, of: 400, facts: scene.facts?.(this.step / 30) ?? {},
        waits: false, version: this.step, failure: null, notice: null, speed: null, live: this.live,
        views, slots: Object.keys(views), ...scene.header,
      }),
    });
  }

  send(text: string): void {
    const command = JSON.parse(text) as { do: string; values?: Record<string, unknown> };
    FakeSocket.commands.push(command);
    if (command.values) this.live = { ...this.live, ...command.values };
    if (FakeSocket.still) this.tell();
  }

  close(): void {
    clearInterval(this.timer);
  }
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const blank = { xlabel: "", ylabel: "", title: "" };
let seed = 1;
const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
const gauss = (): number => Math.sqrt(-2 * Math.log(random() + 1e-9)) * Math.cos(6.2832 * random());

const spiral = range(240).map((i) => {
  const [k, r] = [i % 2, 0.3 + (2.4 * Math.floor(i / 2)) / 120];
  const angle = r * 2.3 + k * Math.PI;
  return [r * Math.cos(angle) + 0.08 * gauss(), r * Math.sin(angle) + 0.08 * gauss(), k] as const;
});
const spiralPoints = {
  kind: "Points", ...blank, xy: array([240, 2], spiral.flatMap(([x, y]) => [x, y])), labels: array([240], spiral.map(([, , k]) => k)),
  names: ["inner arm", "outer arm"], lines: {}, extent: [-3, 3, -3, 3], equal: true,
};

function losses(n: number): Record<string, Arrays> {
  const xs = range(n);
  return {
    training: array([n], xs.map((i) => 2.3 * Math.exp(-i / 60) + 0.06 + 0.05 * Math.sin(i * 1.7 + Math.sin(i)))),
    validation: array([n], xs.map((i) => 2.3 * Math.exp(-i / 70) + 0.16 + i / 4000)),
  };
}

function curve(t: number): unknown {
  const n = Math.max(2, Math.round(t * 30));
  return { kind: "Curve", ...blank, title: "Cross-entropy", x: array([n], range(n)), lines: losses(n), xlabel: "step", ylabel: "loss [nat]", log: true, logx: false, marks: n > 60 ? { "rate halved": 55 } : {}, dots: false };
}

function accuracy(t: number): unknown {
  const n = Math.max(2, Math.round(t * 30));
  return { kind: "Curve", ...blank, title: "Accuracy", x: array([n], range(n)), lines: { training: array([n], range(n).map((i) => 1 - 0.9 * Math.exp(-i / 40))), validation: array([n], range(n).map((i) => (i % 40 === 39 ? Number.NaN : 0.97 - 0.87 * Math.exp(-i / 40)))) }, xlabel: "step", ylabel: "right answers [1]", log: false, logx: false, marks: {}, dots: false };
}

function landscape(): unknown {
  const values = range(60 * 90).map((i) => {
    const [x, y] = [-3 + (6 * (i % 90)) / 89, -2 + (4 * Math.floor(i / 90)) / 59];
    return 0.05 * x * x + y * y + 0.3 * Math.sin(3 * x);
  });
  return array([60, 90], values, true);
}
const bowl = landscape();

function walk(t: number): number[] {
  return range(Math.max(2, Math.round(t * 8))).flatMap((i) => [-2.5 * Math.exp(-i / 30), 1.6 * (-0.88) ** i]);
}

function boundary(t: number): unknown {
  const values = range(60 * 60).map((i) => {
    const [x, y] = [-3 + (6 * (i % 60)) / 59, -3 + (6 * Math.floor(i / 60)) / 59];
    const r = Math.hypot(x, y);
    return Math.tanh(3 * Math.sin(Math.atan2(y, x) - Math.min(2.3, 0.2 + t / 3) * r) * -1);
  });
  return { kind: "Field", ...blank, title: "What the network says", values: array([60, 60], values, true), extent: [-3, 3, -3, 3], paths: {}, points: spiralPoints, scale: "signed", contours: true };
}

function digit(k: number, noise = 0): number[] {
  return range(28 * 28).map((i) => {
    const [x, y] = [(i % 28) - 14, Math.floor(i / 28) - 14];
    const ring = Math.abs(Math.hypot(x * (1 + 0.06 * k), y) - 8);
    const bar = Math.abs(x * Math.cos(k) + y * Math.sin(k));
    const ink = k % 2 ? Math.max(0, 1.6 - bar) * (Math.hypot(x, y) < 10 ? 1 : 0) : Math.max(0, 2 - ring);
    return Math.min(1, ink) + noise * gauss();
  });
}

const digits = range(12).flatMap((k) => digit(k));
const filters = range(16).flatMap((k) => range(25).map((i) => Math.sin((i % 5) * (0.4 + 0.2 * k)) * Math.cos(Math.floor(i / 5) * (1.3 - 0.1 * k))));
const words = "The animal did not cross the street because it was too tired .".split(" ");

function all(t: number): Record<string, unknown> {
  const confusion = range(100).map((i) => {
    const [r, c] = [Math.floor(i / 10), i % 10];
    return r === c ? 80 + ((r * 7) % 19) : (r * 3 + c * 5) % 11 === 0 ? 6 : (r + c) % 4 === 0 ? 1 : 0;
  });
  const heat = range(24 * 24).map((i) => Math.sin((i % 24) / 3 + t) * Math.cos(Math.floor(i / 24) / 4));
  const columns = [["x₁", "x₂"], ["h₁", "h₂", "h₃"], ["ŷ"]];
  const nodes = columns.flatMap((ids, c) => ids.map((id, r) => ({
    id, label: id, x: c / 2, y: 1 - (r + 1) / (ids.length + 1), value: Math.sin(t + r + c), kind: ["input", "hidden", "output"][c], detail: "a unit\ntanh",
  })));
  const edges = columns.slice(0, 2).flatMap((ids, c) => ids.flatMap((a, i) => columns[c + 1]!.map((b, j) => ({
    source: a, target: b, value: Math.sin(1 + i * 2 + j * 3 + c), label: (Math.sin(1 + i * 2 + j * 3 + c)).toFixed(1),
  }))));
  const hill = range(40 * 40).map((i) => {
    const [x, y] = [-2 + (4 * (i % 40)) / 39, -2 + (4 * Math.floor(i / 40)) / 39];
    return (1 - x) ** 2 / 4 + (y - x * x) ** 2 / 3;
  });
  const flow = range(100).map((i) => [-2.7 + 0.6 * (i % 10), -1.8 + 0.4 * Math.floor(i / 10)] as const);
  return {
    boundary: boundary(t),
    loss: curve(t),
    accuracy: accuracy(t),
    walk: { kind: "Field", ...blank, title: "loss surface", values: bowl, extent: [-3, 3, -2, 2], paths: { w: array([walk(t).length / 2, 2], walk(t)) }, points: null, scale: "sequential", contours: true, xlabel: "w₁", ylabel: "w₂" },
    points: { ...spiralPoints, title: "Two spirals", xlabel: "x₁", ylabel: "x₂", lines: { boundary: array([20, 2], range(20).flatMap((i) => [-3 + i * 0.3, Math.sin(i / 3 + t)])) } },
    probability: { kind: "Bars", ...blank, title: "What it believes", names: range(10).map(String), series: { probability: array([10], range(10).map((i) => Math.exp(-((i - 3 - Math.sin(t)) ** 2)))) }, ylabel: "probability [1]", log: false, level: { chance: 0.1 } },
    grouped: { kind: "Bars", ...blank, title: "Gradient norm by layer", names: ["conv1", "conv2", "fc1", "fc2"], series: { "this step": array([4], [0.5, 0.31, 0.12, 0.6]), before: array([4], [0.4, 0.2, 0.1, 0.75]) }, ylabel: "norm [1]", log: false, level: {} },
    lying: { kind: "Bars", ...blank, title: "Effect on the score", names: ["age of the house", "rooms a household", "distance to the sea", "population", "median income"], series: { effect: array([5], [-0.4, 0.3, -0.7, 0.05, 1.1]) }, ylabel: "change of price [100 k$]", log: false, level: {} },
    activations: { kind: "Histogram", ...blank, title: "Activations of layer 3", edges: array([31], range(31).map((i) => -3 + i * 0.2)), counts: { measured: array([30], range(30).map((i) => 0.4 * Math.exp(-((-2.9 + i * 0.2) ** 2) / 2) * (1 + 0.1 * Math.sin(i * 2 + t)))) }, curve: { "normal density": array([31], range(31).map((i) => 0.4 * Math.exp(-((-3 + i * 0.2) ** 2) / 2))) }, xlabel: "activation", ylabel: "density [1]", log: false },
    confusion: { kind: "Matrix", ...blank, title: "Confusion", values: array([10, 10], confusion), rows: range(10).map(String), columns: range(10).map(String), xlabel: "predicted", ylabel: "true", scale: "sequential", numbers: true, highlight: [[4, 9]] },
    attention: { kind: "Matrix", ...blank, title: "Attention", values: array([24, 24], heat), rows: [], columns: [], scale: "signed", numbers: false, highlight: [] },
    tiles: { kind: "Tiles", title: "Mistakes", images: array([12, 28, 28], digits, true), captions: range(12).map((k) => `${k % 10} not ${(k * 3) % 10}`), scale: "grey", shared: true, across: 0, marks: { 4: "surest of its error" } },
    filters: { kind: "Tiles", title: "Filters of conv1", images: array([16, 5, 5], filters, true), captions: [], scale: "signed", shared: true, across: 0, marks: {} },
    network: { kind: "Graph", title: "A network", nodes, edges },
    surface: { kind: "Surface", ...blank, title: "Rosenbrock's valley", values: array([40, 40], hill, true), extent: [-2, 2, -2, 2], paths: { descent: array([30, 3], range(30).flatMap((i) => { const x = -1.5 + i * 0.08; return [x, x * x, (1 - x) ** 2 / 4]; })) }, xlabel: "w₁", ylabel: "w₂", zlabel: "loss" },
    arrows: { kind: "Arrows", ...blank, title: "Vectors and their sum", at: array([3, 2], [0, 0, 0, 0, 0, 0]), vectors: array([3, 2], [2, 0.5, 0.5 * Math.cos(t) + 0.3, 1.5, 2.8 + 0.5 * Math.cos(t), 2]), extent: [-1, 4, -1, 3], names: ["a", "b", "a + b"], lines: {}, points: null, xlabel: "x", ylabel: "y" },
    flow: { kind: "Arrows", ...blank, title: "Gradient field", at: array([100, 2], flow.flat()), vectors: array([100, 2], flow.flatMap(([x, y]) => [-0.12 * x + 0.1 * Math.sin(t), -0.16 * y])), extent: [-3, 3, -2, 2], names: [], lines: {}, points: null },
    sums: { kind: "Table", title: "Layers", columns: ["layer", "output", "parameters", "trained"], rows: [["conv1", "6 × 24 × 24", 156, true], ["conv2", "16 × 8 × 8", 2416, true], ["fc1", "120", 30840, true], ["scores", "10", 850, false]] },
    note: { kind: "Note", title: "", tone: "good", text: "**Below the limit** `2/λ` the walk converges.\n\n- steep: 0.98 a step\n- flat: 0.999 a step" },
    tokens: { kind: "Tokens", title: "Where “it” looks", tokens: words, weights: array([13], range(13).map((i) => Math.sin(i * 1.3 + t))), links: array([13, 13], range(169).map((i) => (Math.floor(i / 13) === 7 ? Math.abs(Math.sin(i)) : 0))) },
    timeline: { kind: "Timeline", title: "Pipeline of two micro-batches", lanes: ["stage 0", "stage 1", "stage 2"], spans: range(12).map((i) => ({ lane: `stage ${i % 3}`, start: (i % 3) * 0.4 + Math.floor(i / 3) * 0.9, end: (i % 3) * 0.4 + Math.floor(i / 3) * 0.9 + 0.7, label: i % 2 ? "backward" : "forward", kind: i % 2 ? "backward" : "forward" })), xlabel: "time [s]" },
    sound: { kind: "Sound", title: "A chirp", samples: array([8000], range(8000).map((i) => Math.sin(i * i * 2e-5) * Math.exp(-i / 4000))), rate: 16000 },
  };
}

function some(...names: string[]): Scene["views"] {
  return (t) => {
    const views = all(t);
    return Object.fromEntries(names.map((name) => [name, views[name]]));
  };
}

const FACTS = (t: number): Record<string, number> => ({
  "validation accuracy [%]": 100 * (1 - Math.exp(-t)), loss: 2.3 * Math.exp(-t), "learning rate": 0.01, "time [s]": t,
});

const entry = (name: string, kind: Entry["kind"], value: Entry["default"], more: Partial<Entry> = {}): Entry => ({ name, kind, default: value, whole: false, help: "What turning it up does.", ...more });

export const SCENES: Record<string, Scene> = {
  kinds: { views: all, facts: FACTS },
  training: {
    views: some("loss", "accuracy", "confusion", "filters", "grouped"), facts: FACTS,
    form: [entry("learning_rate", "Slider", 0.01, { low: 0.0001, high: 1, log: true }), entry("dropout", "Toggle", true)],
  },
  lab: {
    views: some("walk", "loss"), facts: FACTS,
    form: [
      entry("rate", "Slider", 0.12, { low: 0.005, high: 0.5, unit: "1/step" }),
      entry("surface", "Choice", "valley", { options: ["bowl", "valley", "saddle"] }),
      entry("start", "Place", [-2.5, 1.6], { extent: [-3, 3, -2, 2], slot: "walk" }),
    ],
  },
  pad: {
    views: some("probability", "tiles", "attention"),
    header: { state: "waiting" },
    form: [
      entry("digit", "Drawing", [], { rows: 28, columns: 28 }),
      entry("picture", "Pick", 3, { count: 12, slot: "tiles" }),
      entry("matrix", "Numbers", [1, 0.5, 0, 1], { length: 4, low: -2, high: 2, across: 2, names: ["a", "b", "c", "d"] }),
      entry("prompt", "Text", "It was a bright cold day", { longest: 200 }),
    ],
  },
  one: { views: some("boundary"), facts: FACTS },
  thumb: { views: some("boundary"), layout: { chrome: false, height: 150, caption: "two spirals" } },
  failed: { views: some("loss", "accuracy"), header: { state: "failed", failure: { message: "The worker was killed (signal 9); the last checkpoint is from step 60.", resumable: true } } },
  queued: { views: () => ({}), header: { state: "queued", place: 3 } },
  many: {
    views: (t) => Object.fromEntries(range(25).map((i) => {
      const kinds = [curve, boundary, accuracy] as const;
      return [`panel ${i}`, kinds[i % 3]!(t + i / 20)];
    })),
  },
};
