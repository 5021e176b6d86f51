import { element } from "../../shared/element";
import { label } from "../../shared/numbers";
import type { Value } from "../data";
import { blank, centred, empty, stroke, type Picture } from "./brush";
import { grouped, type Changed, type Control, type Entry } from "./control";

/**
 * A pad to draw on with mouse, finger or pen; with the keyboard, arrows move and the space bar
 * puts the pen down and up.
 */
export function drawing(entry: Entry, changed: Changed): Control {
  const { rows = 28, columns = 28 } = entry;
  let picture = blank(rows, columns);
  const canvas = element("canvas", {
    "data-testid": "pad",
    class: "pad", width: columns, height: rows, tabindex: 0, role: "application",
    "aria-label": `${label(entry.name)}: a pad of ${rows} by ${columns} pixels. Arrow keys move, space puts the pen down and up, Delete clears.`,
  });
  const centre = element("input", { type: "checkbox" });
  centre.checked = entry.centre ?? true;
  const clear = element("button", { type: "button" }, "Clear");
  let cursor: { x: number; y: number; down: boolean } | null = null;

  const paint = (): void => paintPicture(canvas, picture, cursor);
  const send = (): void => {
    const result = centre.checked ? centred(picture) : picture;
    changed(empty(picture) ? [] : Array.from(result.data, (ink) => Math.round(ink * 255) / 255));
  };
  const draw = (x1: number, y1: number, x2: number, y2: number): void => {
    stroke(picture, x1, y1, x2, y2);
    paint();
    send();
  };
  const wipe = (): void => {
    picture = blank(rows, columns);
    paint();
    send();
  };

  follow(canvas, rows, columns, draw);
  canvas.onkeydown = (event) => {
    if (event.key === "Delete" || event.key === "Backspace") return wipe();
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], " ": [0, 0] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation(); // space is the stage's play and pause
    const from = cursor ?? { x: columns / 2, y: rows / 2, down: false };
    const x = Math.min(columns - 0.5, Math.max(0.5, from.x + by[0]!));
    const y = Math.min(rows - 0.5, Math.max(0.5, from.y + by[1]!));
    cursor = { x, y, down: event.key === " " ? !from.down : from.down };
    if (cursor.down) draw(from.x, from.y, x, y);
    else paint();
  };
  canvas.onblur = () => {
    cursor = null;
    paint();
  };
  clear.onclick = wipe;
  centre.onchange = send;

  const show = (value: Value): void => {
    // What a watcher elsewhere drew is shown as it was sent, already centred.
    const values = value as number[];
    picture = blank(rows, columns);
    picture.data.set(values.slice(0, rows * columns));
    paint();
  };
  show(entry.default);
  const offered = centre.checked ? [element("label", {}, centre, " Centre")] : [];
  const row = element("div", { class: "row" }, ...offered, clear);
  return { element: grouped(entry, canvas, row), show };
}

type Draw = (x1: number, y1: number, x2: number, y2: number) => void;

/** Turns pointers into strokes; every point between two frames counts. */
function follow(canvas: HTMLCanvasElement, rows: number, columns: number, draw: Draw): void {
  let last: [number, number] | null = null;
  const at = (event: PointerEvent): [number, number] => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return [((event.clientX - left) / width) * columns, ((event.clientY - top) / height) * rows];
  };
  canvas.onpointerdown = (event) => {
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture?.(event.pointerId);
    last = at(event);
    draw(...last, ...last);
  };
  canvas.onpointermove = (event) => {
    if (!last) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) {
      const next = at(one);
      draw(...last, ...next);
      last = next;
    }
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    last = null;
  };
}

function paintPicture(canvas: HTMLCanvasElement, { rows, columns, data }: Picture, cursor: { x: number; y: number; down: boolean } | null): void {
  const ctx = canvas.getContext("2d");
  if (!ctx) return;
  const image = ctx.createImageData(columns, rows);
  data.forEach((ink, index) => {
    // White ink on black, as in the data set.
    image.data.fill(Math.round(255 * ink), 4 * index, 4 * index + 3);
    image.data[4 * index + 3] = 255;
  });
  ctx.putImageData(image, 0, 0);
  if (!cursor) return;
  ctx.fillStyle = cursor.down ? "#f29b3c" : "#4ba3e3";
  ctx.fillRect(Math.floor(cursor.x), Math.floor(cursor.y), 1, 1);
}
