import { describe, expect, test } from "vitest";
import { begin, counts, dab, erase, missing, MOST, nothing, REACH, replaced, undo, type Point } from "./points";

const brush = { label: 1, count: 3, spread: 0 };

/** Numbers as if by chance, the same each time. */
function chance(): () => number {
  let state = 1;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

describe("the brush", () => {
  test("puts as many points as it is asked to, of its class, and all in the plane", () => {
    const { points } = dab(nothing, 5, -5, { label: 2, count: 50, spread: 0.5 }, chance());
    expect(points).toHaveLength(50);
    expect(points.every(([x, y, label]) => Math.abs(x) <= REACH && Math.abs(y) <= REACH && label === 2)).toBe(true);
  });

  test("strays as far as it is told", () => {
    const { points } = dab(nothing, 0, 0, { label: 0, count: 2000, spread: 0.2 }, chance());
    const variance = points.reduce((sum, [x, y]) => sum + x * x + y * y, 0) / (2 * points.length);
    expect(Math.sqrt(variance)).toBeCloseTo(0.2, 1);
  });

  test("stops at the most there may be", () => {
    const full = dab(nothing, 0, 0, { ...brush, count: MOST + 10 });
    expect(dab(full, 0, 0, brush).points).toHaveLength(MOST);
  });
});

describe("strokes", () => {
  test("are taken back one by one", () => {
    const one = dab(begin(nothing), 0, 0, brush);
    const two = dab(begin(one), 1, 1, brush);
    expect(undo(two).points).toEqual(one.points);
    expect(undo(undo(two)).points).toEqual([]);
    expect(undo(undo(undo(two))).points).toEqual([]);
  });

  test("of the eraser take what is near and nothing else", () => {
    const points: Point[] = [[0, 0, 0], [0.1, 0, 1], [1, 1, 0]];
    const rubbed = erase(replaced(nothing, points), 0, 0, 0.2);
    expect(rubbed.points).toEqual([[1, 1, 0]]);
    expect(erase(rubbed, -1, -1, 0.2)).toBe(rubbed);
  });

  test("are there again after other points came", () => {
    const drawn = dab(nothing, 0, 0, brush);
    expect(undo(replaced(drawn, [])).points).toEqual(drawn.points);
  });
});

test("what is missing to learn is said in words", () => {
  expect(missing([], ["A", "B"])).toBe("Draw at least 10 more points.");
  const ten = Array.from({ length: 10 }, (): Point => [0, 0, 0]);
  expect(missing(ten, ["A", "B"])).toContain("another class");
  expect(missing([...ten, [0, 0, 1]], ["A", "B"])).toBe("");
  expect(counts([...ten, [0, 0, 1]], 3)).toEqual([10, 1, 0]);
});
