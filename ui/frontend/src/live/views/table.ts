import { format } from "../../shared/numbers";
import type { Table } from "../data";
import type { Built } from "./kind";

type Cell = Table["rows"][number][number];

function words(cell: Cell): string {
  if (cell === null) return "–";
  if (typeof cell === "boolean") return cell ? "✓" : "✗";
  return typeof cell === "number" ? format(cell, 4) : cell;
}

/** Fills a table in place: cells that say the same as before are not touched. */
function build(host: HTMLElement, view: Table): void {
  const table = host.querySelector("table") ?? host.appendChild(document.createElement("table"));
  const rows = [view.columns, ...view.rows];
  while (table.rows.length > rows.length) table.deleteRow(-1);
  rows.forEach((cells, number) => {
    const row = table.rows[number] ?? table.insertRow();
    while (row.cells.length > cells.length) row.deleteCell(-1);
    cells.forEach((cell, index) => {
      const place = row.cells[index] ?? row.appendChild(document.createElement(number ? "td" : "th"));
      if (!number) (place as HTMLTableCellElement).scope = "col";
      const text = words(cell);
      if (place.textContent !== text) place.textContent = text;
      place.classList.toggle("number", typeof (number ? cell : view.rows[0]?.[index]) === "number");
    });
  });
}

function describe(view: Table): string {
  return `${view.title || "A table"} of ${view.rows.length} rows: ${view.columns.join(", ") || "no columns"}.`;
}

export const table: Built<Table> = { shape: "words", height: 120, build, describe };
