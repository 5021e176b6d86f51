import { expect, test } from "vitest";
import { format, label, steady, unit } from "./numbers";

test.each([
  [0, "0"], [1, "1"], [-2.5, "−2.5"], [0.123456, "0.123"], [1234.5, "1235"], [12345, "12\u2009345"], [1e8, "10⁸"],
  [2.5e-7, "2.5·10⁻⁷"], [-1e-5, "−10⁻⁵"], [Number.NaN, "–"], [Number.NEGATIVE_INFINITY, "−∞"], [0.1, "0.1"], [100, "100"],
])("%d is written %s", (value, words) => {
  expect(format(value)).toBe(words);
});

test.each([[0.5, "0.5000"], [0.0123, "0.0123"], [95.1, "95.10"], [1234.5, "1235"], [3, "3"]])(
  "%d keeps its width as %s", (value, words) => {
    expect(steady(value)).toBe(words);
  },
);

test("a unit stands in brackets at the end of a name", () => {
  expect(unit("loss [nat]")).toEqual(["loss", "nat"]);
  expect(unit("steps")).toEqual(["steps", ""]);
});

test("a parameter's name reads as a label", () => {
  expect(label("learning_rate")).toBe("Learning rate");
  expect([label("λ₁"), label("b")]).toEqual(["λ₁", "b"]);
});
