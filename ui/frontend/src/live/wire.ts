/** Binary messages to views; the other half is `ui/live/wire.py`. */
import type { Curve, Growth, Message, Named, Numbers, View } from "./data";

/** An array as the header speaks of it. */
interface Reference {
  $: number;
  n: number;
  shape: number[];
  type: "f4" | "u1" | "i4";
  low?: number | null;
  high?: number | null;
}

const NAN_BYTE = 255;
const LEVELS = 254; // bytes 0 to 254 are levels, so 254 steps lie between low and high

/** The header of a message with every array in its place. */
export function decode(buffer: ArrayBuffer): Message {
  if (buffer.byteLength < 4) throw new Error(`message: needs a header; got ${buffer.byteLength} bytes`);
  const length = new DataView(buffer).getUint32(0, true);
  if (4 + length > buffer.byteLength) {
    throw new Error(`message: its header says ${length} bytes; only ${buffer.byteLength - 4} came`);
  }
  const start = Math.ceil((4 + length) / 8) * 8;
  const words = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  return JSON.parse(words, (_, value: unknown) => (isReference(value) ? read(buffer, start, value) : value)) as Message;
}

function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && "$" in value && "type" in value;
}

function read(buffer: ArrayBuffer, start: number, array: Reference): Numbers {
  const at = start + array.$;
  const { shape, n } = array;
  if (array.type === "f4") return { shape, data: new Float32Array(buffer, at, n) };
  if (array.type === "i4") return { shape, data: new Int32Array(buffer, at, n) };
  const low = array.low ?? 0;
  const step = ((array.high ?? 0) - low) / LEVELS;
  const levels = Float32Array.from({ length: 256 }, (_, level) => (level === NAN_BYTE ? Number.NaN : low + level * step));
  const bytes = new Uint8Array(buffer, at, n);
  const data = new Float32Array(n);
  for (let index = 0; index < n; index++) data[index] = levels[bytes[index]!]!;
  return { shape, data };
}

/** The views after a message: those it brings laid over those there were, in the run's order. */
export function merge(before: Named<View>, message: Message): { views: Named<View>; changed: Set<string> } {
  const changed = new Set(Object.keys(message.views));
  const views: Named<View> = {};
  for (const slot of message.slots) {
    const old = before[slot];
    const fresh = message.views[slot];
    if (fresh === undefined) {
      if (old) views[slot] = old;
    } else if (!("grow" in fresh)) {
      views[slot] = fresh;
    } else if (old?.kind === "Curve") {
      views[slot] = grown(old, fresh);
    }
  }
  return { views, changed };
}

function grown(curve: Curve, growth: Growth): Curve {
  const lines = Object.fromEntries(
    Object.entries(curve.lines).map(([name, line]) => [name, joined(line, growth.lines[name] ?? line)]),
  );
  return { ...curve, x: joined(curve.x, growth.x), lines };
}

function joined(head: Numbers, tail: Numbers): Numbers {
  const data = new Float32Array(head.data.length + tail.data.length);
  data.set(head.data);
  data.set(tail.data, head.data.length);
  return { shape: [data.length], data };
}
