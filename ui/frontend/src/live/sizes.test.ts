import { beforeEach, describe, expect, test } from "vitest";
import { arrange, type Cell, type Item } from "./arrange";
import { keep, nearest, next, recall } from "./sizes";

beforeEach(() => localStorage.clear());

function items(...sizes: Item["size"][]): Item[] {
  return sizes.map((size, index) => ({ slot: `picture ${index}`, shape: "picture", size }));
}

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

describe("sizes", () => {
  test("go from one to the next and back to the page's own", () => {
    expect([next(undefined), next("S"), next("M"), next("L")]).toEqual(["S", "M", "L", undefined]);
  });

  test("are found from where a corner was dragged to", () => {
    expect([nearest(1, "columns"), nearest(5, "columns"), nearest(11, "columns")]).toEqual(["S", "M", "L"]);
    expect(nearest(1.8, "height")).toBe("L");
  });

  test("are kept for a page, with what is hidden, and nonsense is nothing", () => {
    keep("/train", { sizes: new Map([["loss", "L"]]), away: new Set(["filters"]) });
    expect(recall("/train").sizes.get("loss")).toBe("L");
    expect([...recall("/train").away]).toEqual(["filters"]);
    expect(recall("/past").sizes.size).toBe(0);
    localStorage.setItem("orrery.panels./train", "{broken");
    expect(recall("/train").away.size).toBe(0);
  });

  test("are what was chosen, and the other panels fill the rows", () => {
    const cells = arrange(items(undefined, "L", undefined, "S", undefined), 1400);
    expect(cells.find(({ slot }) => slot === "picture 1")!.columns).toBe(12);
    expect(cells.find(({ slot }) => slot === "picture 3")!.columns).toBe(3);
    for (const row of rows(cells)) expect(row.reduce((sum, one) => sum + one)).toBe(12);
    expect(cells.every(({ rows: down }) => down === 1)).toBe(true);
  });

  test("leave one column on a phone", () => {
    expect(arrange(items("S", undefined, "M"), 390).map(({ columns }) => columns)).toEqual([12, 12, 12]);
  });
});
