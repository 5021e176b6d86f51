/** What the colours of a picture mean. */
import { colourAt, css, type Scale } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import { linearTicks } from "./axis";
import { widest, write, type Context, type Rectangle } from "./canvas";
import type { Range } from "./raster";

const WIDTH = 8;
const GAP = 12;

/** The room a colour bar takes beside a picture [px]. */
export function colourBarRoom([low, high]: Range, theme: Theme): number {
  const labels = linearTicks(low, high, 4).map((tick) => tick.label);
  return Math.ceil((GAP + WIDTH + 6 + widest(labels, theme)) / 8) * 8;
}

/** Draws the bar to the right of `area`, as high as it and as opaque as the picture. */
export function colourBar(ctx: Context, area: Rectangle, [low, high]: Range, scale: Scale, theme: Theme, opacity = 1): void {
  const left = area.left + area.width + GAP;
  const gradient = ctx.createLinearGradient(0, area.top + area.height, 0, area.top);
  for (let stop = 0; stop <= 16; stop++) {
    gradient.addColorStop(stop / 16, css(colourAt(scale, stop / 16, theme.dark, theme.background)));
  }
  ctx.fillStyle = gradient;
  ctx.globalAlpha = opacity;
  ctx.fillRect(left, area.top, WIDTH, area.height);
  ctx.globalAlpha = 1;
  for (const { value, label } of linearTicks(low, high, 4)) {
    const y = area.top + (1 - (value - low) / (high - low)) * area.height;
    write(ctx, label, left + WIDTH + 5, y, theme, { colour: theme.muted });
  }
}
