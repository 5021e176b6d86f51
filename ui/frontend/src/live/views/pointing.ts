/** What is pointed at in one view, marked in all that show the same rows of tokens. */
import type { Axes } from "../data";
import type { Pointed } from "./kind";

/** The place of a row of tokens that is pointed at, or null. */
export function placeIn(pointed: Pointed | null, row: string): number | null {
  if (pointed?.looking?.[0] === row) return pointed.looking[1];
  if (pointed?.lookedAt?.[0] === row) return pointed.lookedAt[1];
  return null;
}

/** What is pointed at, as row and column of a table of weights between two rows of tokens. */
export function cellOf(pointed: Pointed | null, [looking, lookedAt]: Axes): { row: number | null; column: number | null } {
  const { looking: one, lookedAt: other } = pointed ?? {};
  const row = one?.[0] === looking ? one[1] : null;
  // A token of the row that is only looked at is a column, however it was pointed at.
  const column = other?.[0] === lookedAt ? other[1] : one?.[0] === lookedAt && looking !== lookedAt ? one[1] : null;
  return { row, column };
}

/** The cell (row, column) as what others are told. */
export function pointAt([looking, lookedAt]: Axes, row: number | null, column: number | null): Pointed {
  return {
    ...(row !== null && { looking: [looking, row] as [string, number] }),
    ...(column !== null && { lookedAt: [lookedAt, column] as [string, number] }),
  };
}
