import { expect, it } from "vitest";
import type { Field } from "./api";
import { search } from "./Chooser";
import { readNumber, readNumbers, written } from "./entry";
import { bytesWords, exact, lean, nodeLabel, paramWords, shapeWords, short } from "./words";

const field = (more: Partial<Field>): Field => ({ name: "kernel_size", kind: "integers", low: 1, high: 100, options: [], ...more });

it("reads lists of whole numbers as people write them", () => {
  const shape = field({ name: "shape" });
  for (const text of ["1, 28, 28", "1 × 28 × 28", "1x28x28", "[1,28,28]", "1 28 28"]) expect(readNumbers(shape, text)).toEqual({ value: [1, 28, 28] });
  expect(readNumbers(shape, "7")).toEqual({ value: [7] });
  expect(readNumbers(field({}), "5")).toEqual({ value: 5 });
  expect(readNumbers(field({ options: ["same"] }), "same")).toEqual({ value: "same" });
});

it("says why something is no value", () => {
  expect(readNumbers(field({}), "3, q").problem).toBe("“q” is not a number.");
  expect(readNumbers(field({}), "0").problem).toBe("At least 1; got 0.");
  expect(readNumbers(field({}), "2.5").problem).toMatch(/whole number/);
  expect(readNumbers(field({ options: ["same"] }), "some").problem).toMatch(/one of: same/);
  expect(readNumber(field({ kind: "number", high: 1 }), "1.5").problem).toBe("At most 1; got 1.5.");
  expect(readNumber(field({ kind: "integer" }), "").problem).toMatch(/needed/);
  expect(readNumber(field({ kind: "integer", optional: true }), "")).toEqual({ value: null });
});

it("writes what it reads", () => {
  expect(written([1, 28, 28])).toBe("1, 28, 28");
  expect(written(null)).toBe("");
  expect(written({ width: 64 })).toBe('{"width":64}');
});

it("writes sizes for people", () => {
  expect(shapeWords([6, 24, 24])).toBe("6 × 24 × 24");
  expect(shapeWords(null)).toBe("?");
  expect([short(156), short(61_706), short(3_628_146_688)]).toEqual(["156", "61.7 k", "3.63 G"]);
  expect([bytesWords(512), bytesWords(1_204_000)]).toEqual(["512 B", "1.2 MB"]);
  expect([exact(9408), exact(11_689_512)]).toEqual(["9408", "11\u2009689\u2009512"]);
});

it("describes a node in one line", () => {
  const node = { id: "conv1", type: "Conv2d", params: { padding: 1, kernel_size: [5, 3], out_channels: 6 } };
  const layer = { type: "Conv2d", category: "", help: "", inputs: [1, 1] as const, fields: [field({ name: "out_channels" }), field({}), field({ name: "padding" })] };
  expect(paramWords(node, layer)).toBe("channels 6 · kernel 5 × 3 · padding 1");
  const facts = { inputs: [], output: [6, 24, 24], parameters: 156, flops: 0, memory: 0, problems: [] };
  expect(nodeLabel(node, facts)).toBe("conv1, Conv2d, output 6 × 24 × 24, 156 parameters");
  expect(lean("conv1 (Conv2d): the kernel is too large", node)).toBe("The kernel is too large");
});

it("finds by beginnings first", () => {
  const choices = ["BatchNorm2d", "Linear", "Bilinear", "LayerNorm"].map((title) => ({ key: title, title, note: title === "LayerNorm" ? "a linear map" : "" }));
  expect(search(choices, "lin").map((choice) => choice.title)).toEqual(["Linear", "Bilinear", "LayerNorm"]);
  expect(search(choices, "zz")).toEqual([]);
});
