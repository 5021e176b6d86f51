import { describe, expect, test } from "vitest";
import type { Curve, Field, Message, View } from "./data";
import { decode, merge } from "./wire";

/** A message built by hand, byte for byte as docs/architecture.md says. */
function message(header: object, arrays: ArrayBufferView[]): ArrayBuffer {
  let text = JSON.stringify(header);
  text += " ".repeat((8 - ((4 + text.length) % 8)) % 8);
  const parts = arrays.map((one) => new Uint8Array(one.buffer, one.byteOffset, one.byteLength));
  const size = parts.reduce((sum, part) => sum + Math.ceil(part.length / 8) * 8, 0);
  const bytes = new Uint8Array(4 + text.length + size);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(new TextEncoder().encode(text), 4);
  let at = 4 + text.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += Math.ceil(part.length / 8) * 8;
  }
  return bytes.buffer;
}

/** Written by Python: `encode` of a frame with `Curve([0, 1, 2], {"loss": [1, nan, 0.25]})` in slot
 * `c` and `Field([[0, 1], [nan, 254]], (0, 1, 0, 1))` in slot `f`. */
const FROM_PYTHON = 
  "bAIAAHsicnVuIjoiciIsInN0YXRlIjoicnVubmluZyIsInBsYWNlIjpudWxsLCJzdGVwIjozLCJvZiI6OSwiZmFjdHMiOnsibG9zcyI6MC4yNSwiZ2FwIjpu" +
  "dWxsfSwid2FpdHMiOm51bGwsInZlcnNpb24iOjEsImZhaWx1cmUiOm51bGwsIm5vdGljZSI6bnVsbCwic3BlZWQiOm51bGwsImxpdmUiOnt9LCJ2aWV3cyI6" +
  "eyJjIjp7ImtpbmQiOiJDdXJ2ZSIsIngiOnsiJCI6MCwibiI6Mywic2hhcGUiOlszXSwidHlwZSI6Imk0In0sImxpbmVzIjp7Imxvc3MiOnsiJCI6MTYsIm4i" +
  "OjMsInNoYXBlIjpbM10sInR5cGUiOiJmNCJ9fSwieGxhYmVsIjoic3RlcCIsInlsYWJlbCI6IiIsImxvZyI6ZmFsc2UsImxvZ3giOmZhbHNlLCJtYXJrcyI6" +
  "e30sImRvdHMiOmZhbHNlLCJ0aXRsZSI6IiJ9LCJmIjp7ImtpbmQiOiJGaWVsZCIsInZhbHVlcyI6eyIkIjozMiwibiI6NCwic2hhcGUiOlsyLDJdLCJ0eXBl" +
  "IjoidTEiLCJsb3ciOjAuMCwiaGlnaCI6MjU0LjB9LCJleHRlbnQiOlswLDEsMCwxXSwicGF0aHMiOnt9LCJ0aXRsZSI6IiIsInBvaW50cyI6bnVsbCwic2Nh" +
  "bGUiOiJzZXF1ZW50aWFsIiwiY29udG91cnMiOmZhbHNlLCJ4bGFiZWwiOiIiLCJ5bGFiZWwiOiIifX0sInNsb3RzIjpbImMiLCJmIl19ICAgICAgAAAAAAEA" +
  "AAACAAAAAAAAAAAAgD8AAMB/AACAPgAAAAAAAf/+AAAAAA==";

function bytesOf(base64: string): ArrayBuffer {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
}

describe("a message", () => {
  test("gives arrays back with their shapes", () => {
    const header = {
      views: { a: { kind: "Points", xy: { $: 0, n: 4, shape: [2, 2], type: "f4" }, labels: { $: 16, n: 2, shape: [2], type: "i4" } } },
      slots: ["a"],
    };
    const { views } = decode(message(header, [Float32Array.of(1, 2, 3, 4.5), Int32Array.of(-1, 7)]));
    const view = views.a as unknown as { xy: { shape: number[]; data: Float32Array }; labels: { data: Int32Array } };
    expect(view.xy.shape).toEqual([2, 2]);
    expect([...view.xy.data]).toEqual([1, 2, 3, 4.5]);
    expect([...view.labels.data]).toEqual([-1, 7]);
  });

  test("turns bytes into levels from low to high, and 255 into NaN", () => {
    const header = { views: { f: { values: { $: 0, n: 4, shape: [2, 2], type: "u1", low: -1, high: 1 } } }, slots: ["f"] };
    const { views } = decode(message(header, [Uint8Array.of(0, 127, 254, 255)]));
    expect([...(views.f as Field).values.data]).toEqual([-1, 0, 1, Number.NaN]);
  });

  test("written by the server is read as it was meant", () => {
    const read = decode(bytesOf(FROM_PYTHON));
    const [curve, field] = [read.views.c as Curve, read.views.f as Field];
    expect(read).toMatchObject({ run: "r", state: "running", step: 3, of: 9, slots: ["c", "f"], facts: { loss: 0.25, gap: null } });
    expect(curve.lines.loss!.data).toEqual(Float32Array.of(1, Number.NaN, 0.25));
    expect(curve.x.data).toEqual(Int32Array.of(0, 1, 2));
    expect(field.values).toEqual({ shape: [2, 2], data: Float32Array.of(0, 1, Number.NaN, 254) });
    expect(field.extent).toEqual([0, 1, 0, 1]);
  });

  test("that is cut short says so", () => {
    expect(() => decode(new ArrayBuffer(2))).toThrow("needs a header");
    expect(() => decode(Uint8Array.of(200, 0, 0, 0, 1).buffer)).toThrow("says 200 bytes");
  });
});

describe("the views after a message", () => {
  const numbers = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
  const curve = { kind: "Curve", title: "fall", x: numbers(0, 1), lines: { loss: numbers(4, 2) } } as unknown as Curve;
  const note = { kind: "Note", text: "hello", title: "", tone: "plain" } as View;

  function news(views: object, slots: string[]): Message {
    return { views, slots } as unknown as Message;
  }

  test("keep a curve's beginning when its end grows", () => {
    const tail = { kind: "Curve", grow: true, x: numbers(2), lines: { loss: numbers(Number.NaN) } };
    const { views, changed } = merge({ c: curve, n: note }, news({ c: tail }, ["c", "n"]));
    const grown = views.c as Curve;
    expect([...grown.x.data]).toEqual([0, 1, 2]);
    expect([...grown.lines.loss!.data]).toEqual([4, 2, Number.NaN]);
    expect(grown.title).toBe("fall");
    expect(views.n).toBe(note);
    expect([...changed]).toEqual(["c"]);
  });

  test("follow the run's slots in order and drop those that are gone", () => {
    const { views } = merge({ old: note, c: curve }, news({ z: note }, ["z", "c"]));
    expect(Object.keys(views)).toEqual(["z", "c"]);
  });

  test("do without a tail whose beginning never came", () => {
    const tail = { kind: "Curve", grow: true, x: numbers(2), lines: { loss: numbers(1) } };
    expect(merge({}, news({ c: tail }, ["c"])).views).toEqual({});
  });
});
