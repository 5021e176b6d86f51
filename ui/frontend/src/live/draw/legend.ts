/** Names with their colours in a row above a picture. */
import type { Theme } from "../../shared/theme";
import { fitted, textWidth, write, type Context } from "./canvas";

export interface Entry {
  name: string;
  colour: string;
}

const SWATCH = 12;
const GAP = 14;

/** The height a legend needs in a width [px]; 0 without entries. */
export function legendHeight(entries: Entry[], width: number, theme: Theme): number {
  return entries.length ? place(entries, width, theme).rows * rowHeight(theme) : 0;
}

/** Draws the legend with its top left corner at (left, top). */
export function legend(ctx: Context, entries: Entry[], left: number, top: number, width: number, theme: Theme): void {
  const height = rowHeight(theme);
  for (const { entry, x, row, words } of place(entries, width, theme).placed) {
    const y = top + row * height + height / 2 - 2;
    ctx.fillStyle = entry.colour;
    ctx.beginPath();
    ctx.roundRect(left + x, y - 2, SWATCH, 4, 2);
    ctx.fill();
    write(ctx, words, left + x + SWATCH + 5, y, theme, { colour: theme.muted });
  }
}

function rowHeight(theme: Theme): number {
  return theme.size + 6;
}

interface Placed {
  entry: Entry;
  words: string;
  x: number;
  row: number;
}

/** At most two rows; names that find no room there are left to the read-out. */
function place(entries: Entry[], width: number, theme: Theme): { placed: Placed[]; rows: number } {
  const placed: Placed[] = [];
  let x = 0;
  let row = 0;
  for (const entry of entries) {
    const words = fitted(entry.name, Math.min(220, width - SWATCH - 5), theme);
    const needed = SWATCH + 5 + textWidth(words, theme);
    if (x > 0 && x + needed > width) {
      x = 0;
      row += 1;
      if (row === 2) break;
    }
    placed.push({ entry, words, x, row });
    x += needed + GAP;
  }
  return { placed, rows: Math.min(2, row + 1) };
}
