import { format } from "../../shared/numbers";
import { colourAt, luminance } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Matrix } from "../data";
import { bare, fitted, placeholder, widest, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { colourBar, colourBarRoom } from "../draw/colourbar";
import { bitmap, range, shareOf, type Range } from "../draw/raster";
import { spanWords, type Drawn, type Hit, type Look } from "./kind";

interface Layout {
  area: Rectangle;
  /** Size of a cell [px]. */
  cell: Box;
  barred: boolean;
  /** Whether names above the columns stand upright, because they are wider than a cell. */
  upright: boolean;
  rowRoom: number;
}

const NAME_ROOM = 110;

function shapeOf(view: Matrix): [rows: number, columns: number] {
  return [view.values.shape[0] ?? 0, view.values.shape[1] ?? 0];
}

function lay(view: Matrix, box: Box, theme: Theme): Layout {
  const [rows, columns] = shapeOf(view);
  const small = bare(box);
  const barred = !small && !view.numbers && view.scale !== "classes" && box.width > 260;
  const rowRoom = small ? 0 : (view.rows.length ? Math.min(NAME_ROOM, widest(view.rows, theme)) + 8 : 0) + (view.ylabel ? theme.size + 8 : 0);
  const right = barred ? colourBarRoom(range(view.values.data, view.scale), theme) : 3;
  const width = Math.max(10, box.width - rowRoom - right);
  const widestColumn = widest(view.columns, theme);
  const upright = widestColumn + 4 > width / Math.max(1, columns);
  const named = view.columns.length > 0 && !small;
  const columnRoom = named ? (upright ? Math.min(NAME_ROOM * 0.7, widestColumn) : theme.size) + 8 : 0;
  const top = columnRoom + (view.xlabel && !small ? theme.size + 6 : 0);
  const height = Math.max(10, box.height - top - 3);
  // Cells keep near the square, as far as the picture's shape allows.
  const cell = { width: width / columns, height: height / rows };
  cell.width = Math.min(cell.width, cell.height * 3);
  cell.height = Math.min(cell.height, cell.width * (rows < 6 ? 10 : 3));
  const left = rowRoom + (width - cell.width * columns) / 2;
  const area = { left, top: top + (height - cell.height * rows) / 2, width: cell.width * columns, height: cell.height * rows };
  return { area, cell, barred, upright, rowRoom };
}

function draw(ctx: Context, view: Matrix, box: Box, theme: Theme, look: Look): void {
  const [rows, columns] = shapeOf(view);
  if (!rows || !columns) return placeholder(ctx, box, theme);
  const laid = lay(view, box, theme);
  const { area, cell } = laid;
  const ends = range(view.values.data, view.scale);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(bitmap({ values: view.values.data, rows, columns, range: ends, scale: view.scale }, theme), area.left, area.top, area.width, area.height);
  if (Math.min(cell.width, cell.height) > 9) gaps(ctx, area, cell, theme);
  ctx.strokeStyle = theme.faint;
  ctx.lineWidth = 1;
  ctx.strokeRect(area.left, area.top, area.width, area.height);
  if (view.numbers || view.words?.length) drawNumbers(ctx, view, laid, ends, theme);
  drawFrames(ctx, view, laid, look, theme);
  if (bare(box)) return;
  drawNames(ctx, view, laid, box, theme);
  if (laid.barred) colourBar(ctx, area, ends, view.scale, theme);
}

function gaps(ctx: Context, area: Rectangle, cell: Box, theme: Theme): void {
  ctx.fillStyle = theme.paper;
  for (let x = area.left + cell.width; x < area.left + area.width - 1; x += cell.width) ctx.fillRect(x - 0.5, area.top, 1, area.height);
  for (let y = area.top + cell.height; y < area.top + area.height - 1; y += cell.height) ctx.fillRect(area.left, y - 0.5, area.width, 1);
}

function drawNumbers(ctx: Context, view: Matrix, { area, cell }: Layout, ends: Range, theme: Theme): void {
  const [rows, columns] = shapeOf(view);
  const whole = view.values.data.every((value) => !Number.isFinite(value) || Number.isInteger(value));
  const said = view.words?.length ? view.words.flat() : null;
  const words = said ?? Array.from(view.values.data, (value) => (Number.isNaN(value) ? "" : format(value, whole ? 6 : 2)));
  const widestWord = said ? Math.min(widest(said, theme), cell.width) : widest(words, theme);
  const size = Math.min(theme.size + (said ? 0 : 4), cell.height * 0.62, (theme.size * (cell.width - 4)) / Math.max(1, widestWord));
  if (size < 6) return;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const index = row * columns + column;
      const shade = colourAt(view.scale, shareOf(view.values.data[index]!, ends), theme.dark, theme.background);
      const colour = luminance(shade) > 0.3 ? "#14181f" : "#ffffff";
      write(ctx, said ? fitted(words[index] ?? "", cell.width - 2, theme, size) : words[index]!, area.left + (column + 0.5) * cell.width, area.top + (row + 0.5) * cell.height, theme, { colour, align: "center", size });
    }
  }
}

function drawFrames(ctx: Context, view: Matrix, { area, cell }: Layout, look: Look, theme: Theme): void {
  const [, columns] = shapeOf(view);
  const frames = view.highlight.map(([row, column]) => ({ row, column, colour: theme.text }));
  if (look.picked !== null && look.picked >= 0) {
    frames.push({ row: Math.floor(look.picked / columns), column: look.picked % columns, colour: theme.accent });
  }
  for (const { row, column, colour } of frames) {
    // Ink on paper: one of the two stands off any cell.
    for (const [width, ink] of [[4, theme.paper], [2, colour]] as const) {
      ctx.lineWidth = width;
      ctx.strokeStyle = ink;
      ctx.strokeRect(area.left + column * cell.width, area.top + row * cell.height, cell.width, cell.height);
    }
  }
}

function drawNames(ctx: Context, view: Matrix, { area, cell, upright, rowRoom }: Layout, box: Box, theme: Theme): void {
  const ink = { colour: theme.muted };
  const everyRow = Math.max(1, Math.ceil((theme.size + 2) / cell.height));
  view.rows.forEach((name, row) => {
    if (row % everyRow) return;
    const y = area.top + (row + 0.5) * cell.height;
    write(ctx, fitted(name, rowRoom - 8 - (view.ylabel ? theme.size + 8 : 0), theme), area.left - 6, y, theme, { ...ink, align: "right" });
  });
  const everyColumn = upright ? Math.max(1, Math.ceil((theme.size + 2) / cell.width)) : 1;
  view.columns.forEach((name, column) => {
    if (column % everyColumn) return;
    const x = area.left + (column + 0.5) * cell.width;
    if (!upright) write(ctx, fitted(name, cell.width - 2, theme), x, area.top - theme.size / 2 - 3, theme, { ...ink, align: "center" });
    else turned(ctx, x, area.top - 5, () => write(ctx, fitted(name, NAME_ROOM * 0.7, theme), 0, 0, theme, ink));
  });
  if (view.xlabel) write(ctx, fitted(view.xlabel, box.width, theme), area.left + area.width / 2, theme.size / 2, theme, { ...ink, align: "center" });
  if (view.ylabel) {
    const x = Math.max(theme.size / 2, area.left - rowRoom + theme.size / 2);
    turned(ctx, x, area.top + area.height / 2, () => write(ctx, fitted(view.ylabel, area.height, theme), 0, 0, theme, { ...ink, align: "center" }));
  }
}

function turned(ctx: Context, x: number, y: number, draw: () => void): void {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(-Math.PI / 2);
  draw();
  ctx.restore();
}

function hit(view: Matrix, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const [rows, columns] = shapeOf(view);
  if (!rows || !columns) return null;
  const { area, cell } = lay(view, box, theme);
  const column = Math.floor((x - area.left) / cell.width);
  const row = Math.floor((y - area.top) / cell.height);
  if (column < 0 || column >= columns || row < 0 || row >= rows) return null;
  const index = row * columns + column;
  const where = `${view.rows[row] ?? `row ${row}`}, ${view.columns[column] ?? `column ${column}`}`;
  const said = view.words?.[row]?.[column];
  return { index, words: [{ text: where }, { text: `${said ? `${said}  ` : ""}${format(view.values.data[index]!, 4)}` }] };
}

function describe(view: Matrix): string {
  const [rows, columns] = shapeOf(view);
  return `${view.title || "A table"} of ${rows} rows and ${columns} columns, ${spanWords(view.values.data)}.`;
}

function beside(view: Matrix, index: number, across: number, down: number): number {
  const [rows, columns] = shapeOf(view);
  const row = Math.min(rows - 1, Math.max(0, Math.floor(index / columns) + down));
  const column = Math.min(columns - 1, Math.max(0, (index % columns) + across));
  return row * columns + column;
}

export const matrix: Drawn<Matrix> = { shape: "picture", height: 240, draw, hit, describe, beside };
