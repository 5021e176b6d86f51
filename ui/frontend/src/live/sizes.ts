/** How large panels are and which are hidden: the visitor's own choice, kept in the browser. */

export type Size = "S" | "M" | "L";

/** Columns of twelve that a size takes in a wide window, and by how much a picture is higher. */
export const SIZES: Record<Size, { columns: number; height: number }> = {
  S: { columns: 3, height: 0.75 },
  M: { columns: 6, height: 1.25 },
  L: { columns: 12, height: 1.9 },
};

const NAMES = Object.keys(SIZES) as Size[];

export interface Kept {
  sizes: Map<string, Size>;
  away: Set<string>;
}

/** The size after this one; after the largest comes the page's own choice again. */
export function next(size: Size | undefined): Size | undefined {
  return NAMES[size ? NAMES.indexOf(size) + 1 : 0];
}

/** The size whose columns, or whose height on a phone, are nearest to what was dragged out. */
export function nearest(wanted: number, of: "columns" | "height"): Size {
  const far = (size: Size): number => Math.abs(SIZES[size][of] - wanted);
  return NAMES.reduce((best, size) => (far(size) < far(best) ? size : best));
}

/** What was kept for a page; nothing where the browser keeps nothing. */
export function recall(page: string): Kept {
  try {
    const { sizes = {}, away = [] } = JSON.parse(localStorage.getItem(name(page)) ?? "{}") as { sizes?: Record<string, Size>; away?: string[] };
    return { sizes: new Map(Object.entries(sizes).filter(([, size]) => size in SIZES)), away: new Set(away) };
  } catch {
    return { sizes: new Map(), away: new Set() };
  }
}

export function keep(page: string, { sizes, away }: Kept): void {
  try {
    localStorage.setItem(name(page), JSON.stringify({ sizes: Object.fromEntries(sizes), away: [...away] }));
  } catch {
    // A browser that keeps nothing still shows everything.
  }
}

function name(page: string): string {
  return `orrery.panels.${page}`;
}
