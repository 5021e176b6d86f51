/** Words and marks on a canvas, in the hand of the whole product. */
import type { Theme } from "../../shared/theme";

export type Context = CanvasRenderingContext2D;

/** The room a picture has [CSS px]; its origin is the top left corner. */
export interface Box {
  width: number;
  height: number;
}

export interface Rectangle extends Box {
  left: number;
  top: number;
}

/** Whether the room is a thumbnail's: no axes, no words. */
export function bare(box: Box): boolean {
  return box.width < 190 || box.height < 160;
}

const ruler: { context: Context | null | undefined } = { context: undefined };
const widths = new Map<string, number>();

/** The width of a line of text [px]; pictures are laid out before there is a canvas to ask. */
export function textWidth(text: string, theme: Theme, size = theme.size): number {
  const key = `${size}|${theme.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    if (ruler.context === undefined) ruler.context = document.createElement("canvas").getContext("2d");
    if (ruler.context) {
      ruler.context.font = `${size}px ${theme.font}`;
      width = ruler.context.measureText(text).width;
    } else {
      width = text.length * size * 0.55;
    }
    if (widths.size > 5000) widths.clear();
    widths.set(key, width);
  }
  return width;
}

/** The widest of some texts [px]. */
export function widest(texts: Iterable<string>, theme: Theme, size = theme.size): number {
  let width = 0;
  for (const text of texts) width = Math.max(width, textWidth(text, theme, size));
  return width;
}

/** `text`, cut with an ellipsis where it is wider than `room`; empty where not even one letter fits. */
export function fitted(text: string, room: number, theme: Theme, size = theme.size): string {
  if (textWidth(text, theme, size) <= room) return text;
  let length = text.length - 1;
  while (length > 0 && textWidth(`${text.slice(0, length)}…`, theme, size) > room) length--;
  return length > 0 ? `${text.slice(0, length).trimEnd()}…` : "";
}

interface TextOptions {
  colour?: string;
  align?: CanvasTextAlign;
  baseline?: CanvasTextBaseline;
  size?: number;
  /** Draws a rim of this colour around the letters, to be read on anything. */
  halo?: string;
}

export function write(ctx: Context, text: string, x: number, y: number, theme: Theme, options: TextOptions = {}): void {
  if (!text) return;
  ctx.font = `${options.size ?? theme.size}px ${theme.font}`;
  ctx.textAlign = options.align ?? "left";
  ctx.textBaseline = options.baseline ?? "middle";
  if (options.halo) {
    ctx.lineJoin = "round";
    ctx.lineWidth = 3;
    ctx.strokeStyle = options.halo;
    ctx.strokeText(text, x, y);
  }
  ctx.fillStyle = options.colour ?? theme.text;
  ctx.fillText(text, x, y);
}

/** A line between two points. */
export function line(ctx: Context, x1: number, y1: number, x2: number, y2: number): void {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

/** A filled dot with a thin rim of the paper, so that dots on dots stay apart. */
export function dot(ctx: Context, x: number, y: number, radius: number, colour: string, rim: string): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  if (radius < 2.5) return;
  ctx.lineWidth = 1;
  ctx.strokeStyle = rim;
  ctx.stroke();
}

/** The head of an arrow that ends in (x, y), coming from direction `angle`. */
export function head(ctx: Context, x: number, y: number, angle: number, size: number): void {
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x - size * Math.cos(angle - 0.42), y - size * Math.sin(angle - 0.42));
  ctx.lineTo(x - size * Math.cos(angle + 0.42), y - size * Math.sin(angle + 0.42));
  ctx.closePath();
  ctx.fill();
}

export function roundedBox(ctx: Context, { left, top, width, height }: Rectangle, radius: number): void {
  ctx.beginPath();
  ctx.roundRect(left, top, width, height, Math.max(0, Math.min(radius, width / 2, height / 2)));
}

/** Words in the middle of a picture that has nothing to show. */
export function placeholder(ctx: Context, box: Box, theme: Theme, words = "nothing yet"): void {
  write(ctx, words, box.width / 2, box.height / 2, theme, { colour: theme.muted, align: "center" });
}
