import { describe, expect, test } from "vitest";
import { arrange, type Cell, type Item } from "./arrange";

function items(count: number, shape: Item["shape"] = "picture"): Item[] {
  return Array.from({ length: count }, (_, index) => ({ slot: `${shape} ${index}`, shape }));
}

/** Column spans, row by row, of cells that stand in one row each. */
function rows(cells: Cell[]): number[][] {
  const found: number[][] = [];
  let used = 12;
  for (const { columns } of cells) {
    if (used + columns > 12) [used] = [0, found.push([])];
    found[found.length - 1]!.push(columns);
    used += columns;
  }
  return found;
}

describe("panels", () => {
  test("stand in one column on a phone, the main one first", () => {
    const cells = arrange(items(4), 390, { main: "picture 2" });
    expect(cells.map(({ slot, columns }) => `${slot} ${columns}`)).toEqual(["picture 2 12", "picture 0 12", "picture 1 12", "picture 3 12"]);
  });

  test("fill a wide window without holes, however many there are", () => {
    for (let count = 1; count <= 30; count++) {
      const [main, ...others] = arrange(items(count), 1400);
      expect(others).toHaveLength(count - 1);
      if (count === 1) expect(main).toMatchObject({ columns: 12, main: true });
      const beside = others.slice(0, main!.columns === 7 ? main!.rows : 0);
      expect(beside.every(({ columns }) => columns === 5)).toBe(true);
      for (const row of rows(others.slice(beside.length))) expect(row.reduce((sum, one) => sum + one)).toBe(12);
    }
  });

  test("that are strips take whole rows at the end", () => {
    const cells = arrange([...items(1, "strip"), ...items(3)], 1400);
    expect(cells[cells.length - 1]).toMatchObject({ slot: "strip 0", columns: 12 });
    expect(cells[0]).toMatchObject({ slot: "picture 0", main: true });
  });

  test("a wide picture is the main one and has a row of its own", () => {
    const cells = arrange([...items(1, "words"), ...items(1, "wide"), ...items(2)], 1400);
    expect(cells[0]).toMatchObject({ slot: "wide 0", columns: 12, main: true });
    expect(cells).toHaveLength(4);
  });

  test("are equal where a number of columns is asked for", () => {
    expect(arrange(items(6), 1400, { columns: 3 }).map(({ columns }) => columns)).toEqual([4, 4, 4, 4, 4, 4]);
  });

  test("may be none", () => {
    expect(arrange([], 1400)).toEqual([]);
  });
});
