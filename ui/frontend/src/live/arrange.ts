/** Where panels stand: the main one large, the others beside and below it. */
import { SIZES, type Size } from "./sizes";
import type { Shape } from "./views/kind";

export interface Item {
  slot: string;
  shape: Shape;
  /** The visitor's own choice, over the page's. */
  size?: Size | undefined;
}

/** A panel's place in a grid of twelve columns. */
export interface Cell {
  slot: string;
  columns: number;
  rows: number;
  main: boolean;
}

export interface Wishes {
  /** The slot shown large. */
  main?: string | undefined;
  /** This many equal columns instead of one large panel. */
  columns?: number | undefined;
  /** Strips that stand above all else. */
  top?: string[] | undefined;
}

const COLUMNS = 12;
const NARROW = 640; // below it one column [px]
const WIDE = 780; // from it on, panels beside the main one

/** Cells in the order of the page. */
export function arrange(items: Item[], width: number, wishes: Wishes = {}): Cell[] {
  const cells = ordered(items, width, wishes);
  return items.some(({ size }) => size) ? sized(cells, items, width) : cells;
}

function ordered(items: Item[], width: number, wishes: Wishes): Cell[] {
  const top = items.filter(({ slot, shape }) => wishes.top?.includes(slot) && takesRow(shape));
  if (!top.length) return arranged(items, width, wishes);
  return [...top.map((item) => cell(item, COLUMNS)), ...arranged(items.filter((item) => !top.includes(item)), width, wishes)];
}

function arranged(items: Item[], width: number, wishes: Wishes): Cell[] {
  const chosen = items.find(({ slot }) => slot === wishes.main);
  const main = chosen ?? (wishes.columns ? undefined : (items.find(({ shape }) => isPicture(shape)) ?? items[0]));
  const others = items.filter((item) => item !== main);
  // Strips take whole rows; last, they leave no holes between pictures.
  const cells = others.filter(({ shape }) => !takesRow(shape));
  const strips = others.filter(({ shape }) => takesRow(shape)).map((item) => cell(item, COLUMNS));
  if (width < NARROW) return [...(main ? [cell(main, COLUMNS, 1, true)] : []), ...cells.map((item) => cell(item, COLUMNS)), ...strips];
  if (wishes.columns) {
    const each = Math.max(1, Math.floor(COLUMNS / Math.min(wishes.columns, width < WIDE ? 2 : wishes.columns)));
    const large = main ? [cell(main, Math.min(COLUMNS, 2 * each), 2, true)] : [];
    return [...large, ...cells.map((item) => cell(item, each)), ...strips];
  }
  if (!main) return [];
  if (width < WIDE || takesRow(main.shape) || !cells.length) {
    return [cell(main, COLUMNS, 1, true), ...filled(cells, width < WIDE ? 2 : 3), ...strips];
  }
  const beside = cells.slice(0, 2);
  return [
    cell(main, 7, beside.length, true),
    ...beside.map((item) => cell(item, COLUMNS - 7)),
    ...filled(cells.slice(2), cells.length > 10 ? 4 : 3),
    ...strips,
  ];
}

/** Rows filled in turn once a visitor has chosen sizes; what is left of a row goes to panels without one. */
function sized(cells: Cell[], items: Item[], width: number): Cell[] {
  const choice = new Map(items.map(({ slot, size }) => [slot, size]));
  const wanted = (one: Cell): number => {
    const size = choice.get(one.slot);
    if (width < NARROW) return COLUMNS;
    return size ? Math.min(COLUMNS, SIZES[size].columns * (width < WIDE ? 2 : 1)) : one.columns;
  };
  const rows: Cell[][] = [];
  let used = COLUMNS;
  for (const one of cells) {
    const columns = wanted(one);
    if (used + columns > COLUMNS) [used] = [0, rows.push([])];
    rows[rows.length - 1]!.push({ ...one, columns, rows: 1 });
    used += columns;
  }
  for (const row of rows) spread(row, row.filter(({ slot }) => !choice.get(slot)));
  return rows.flat();
}

/** Gives what is left of a row to some of its cells, as evenly as can be. */
function spread(row: Cell[], free: Cell[]): void {
  let left = COLUMNS - row.reduce((sum, { columns }) => sum + columns, 0);
  for (let index = 0; free.length && left > 0; index++, left--) free[index % free.length]!.columns++;
}

function isPicture(shape: Shape): boolean {
  return shape === "picture" || shape === "wide";
}

function takesRow(shape: Shape): boolean {
  return shape === "strip" || shape === "wide";
}

function cell({ slot }: Item, columns: number, rows = 1, main = false): Cell {
  return { slot, columns, rows, main };
}

/** Rows of at most `across` cells, as even as can be: five in threes are three and two. */
function filled(items: Item[], across: number): Cell[] {
  const cells: Cell[] = [];
  const rows = Math.ceil(items.length / across);
  for (let row = 0, from = 0; row < rows; row++) {
    const count = Math.ceil((items.length - from) / (rows - row));
    for (const item of items.slice(from, from + count)) cells.push(cell(item, Math.floor(COLUMNS / count)));
    from += count;
  }
  return cells;
}
