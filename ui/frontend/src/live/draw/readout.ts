/** The small box of words beside the pointer. */
import type { Theme } from "../../shared/theme";
import { fitted, roundedBox, widest, write, type Box, type Context } from "./canvas";

interface Line {
  text: string;
  colour?: string;
}

const PADDING = 7;

/** Draws lines of words near a place, inside the box. */
export function readout(ctx: Context, lines: Line[], x: number, y: number, box: Box, theme: Theme): void {
  const row = theme.size + 4;
  const swatch = lines.some(({ colour }) => colour) ? 12 : 0;
  const room = Math.max(20, Math.min(320, box.width - 2 * PADDING - swatch - 4));
  const words = lines.map(({ text }) => fitted(text, room, theme));
  const width = widest(words, theme) + 2 * PADDING + swatch;
  const height = lines.length * row + 2 * PADDING - 4;
  const right = x + 14 + width <= box.width;
  const left = Math.max(1, Math.min(right ? x + 14 : x - 14 - width, box.width - width - 1));
  const top = Math.max(1, Math.min(y - height - 8 >= 0 ? y - height - 8 : y + 14, box.height - height - 1));
  roundedBox(ctx, { left: left + 0.5, top: top + 0.5, width, height }, 5);
  ctx.fillStyle = theme.paper;
  ctx.globalAlpha = 0.94;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.strokeStyle = theme.faint;
  ctx.lineWidth = 1;
  ctx.stroke();
  words.forEach((text, index) => {
    const middle = top + PADDING + index * row + theme.size / 2;
    const colour = lines[index]!.colour;
    if (colour) {
      ctx.fillStyle = colour;
      ctx.fillRect(left + PADDING, middle - 3.5, 7, 7);
    }
    write(ctx, text, left + PADDING + swatch, middle, theme, { colour: index ? theme.text : theme.muted });
  });
}
