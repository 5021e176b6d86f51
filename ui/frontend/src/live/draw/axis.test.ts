import { describe, expect, test } from "vitest";
import { axis, linearTicks, logTicks, roundStep, span } from "./axis";

const labels = (ticks: { label: string }[]): string[] => ticks.map(({ label }) => label);

describe("ticks", () => {
  test("stand at 1, 2 and 5 times a power of ten", () => {
    expect([roundStep(1, 5), roundStep(7, 5), roundStep(300, 5), roundStep(0.03, 4)]).toEqual([0.2, 2, 100, 0.01]);
  });

  test("all have the same number of decimals", () => {
    expect(labels(linearTicks(0, 1, 2))).toEqual(["0.0", "0.5", "1.0"]);
    expect(labels(linearTicks(-1, 1, 4))).toEqual(["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
    expect(labels(linearTicks(0, 20000, 2))).toEqual(["0", "10\u2009000", "20\u2009000"]);
  });

  test("of a logarithmic axis are powers of ten, finer where there are few", () => {
    expect(labels(logTicks(0.5, 5, 5))).toEqual(["0.5", "1", "2", "5"]);
    expect(logTicks(1e-12, 1e3, 5).map(({ value }) => Math.round(Math.log10(value)))).toEqual([-12, -9, -6, -3, 0, 3]);
  });
});

describe("an axis", () => {
  test("ends at round values and begins at zero where zero is near", () => {
    const found = axis([0.3, 4.1]);
    expect([found.low, found.high]).toEqual([0, 5]);
    expect(found.share(2.5)).toBeCloseTo(0.5);
    expect(found.value(0.5)).toBeCloseTo(2.5);
  });

  test("has no place for zero on a logarithmic scale", () => {
    const found = axis([0.01, 100], { log: true });
    expect(found.share(0)).toBeNaN();
    expect(found.share(1)).toBeCloseTo(0.5);
    expect(found.value(0.5)).toBeCloseTo(1);
  });

  test("is never of no length", () => {
    for (const ends of [[3, 3], [0, 0], [1e-30, 1e-30], [-5, -5]] as [number, number][]) {
      const { low, high, ticks } = axis(ends);
      expect(high).toBeGreaterThan(low);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThan(20);
    }
  });
});

test("the span of numbers leaves out what is none", () => {
  expect(span([[1, Number.NaN, 3], [Number.POSITIVE_INFINITY, -2]])).toEqual([-2, 3]);
  expect(span([[0, -1, 10]], true)).toEqual([10, 10]);
  expect(span([[Number.NaN]])).toBeNull();
});
