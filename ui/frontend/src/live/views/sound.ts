import { format } from "../../shared/numbers";
import type { Theme } from "../../shared/theme";
import type { Sound } from "../data";
import { axis, span } from "../draw/axis";
import { placeholder, type Box, type Context } from "../draw/canvas";
import { grid, plane, tickCount, type Plane } from "../draw/plane";
import type { Drawn, Hit } from "./kind";

function seconds(view: Sound): number {
  return view.samples.data.length / Math.max(1, view.rate);
}

function lay(view: Sound, box: Box, theme: Theme): Plane {
  const ends = span([view.samples.data]);
  const loudest = Math.max(0.05, Math.abs(ends?.[0] ?? 1), Math.abs(ends?.[1] ?? 1));
  const x = axis([0, seconds(view)], { snug: true, count: tickCount(box.width, 70) });
  const y = axis([-Math.min(1, loudest * 1.05), Math.min(1, loudest * 1.05)], { snug: true, count: 3 });
  return plane(box, x, y, theme, { xlabel: "time [s]" });
}

/** The envelope: for each pixel column the lowest and the highest sample. */
function draw(ctx: Context, view: Sound, box: Box, theme: Theme): void {
  const { data } = view.samples;
  if (!data.length) return placeholder(ctx, box, theme);
  const area = lay(view, box, theme);
  grid(ctx, area, theme);
  ctx.fillStyle = theme.positive;
  const columns = Math.max(1, Math.floor(area.width));
  for (let column = 0; column < columns; column++) {
    // One sample more on the left, so that columns join.
    const from = Math.max(0, Math.floor((column * data.length) / columns) - 1);
    const to = Math.max(from + 1, Math.ceil(((column + 1) * data.length) / columns));
    const ends = span([data.subarray(from, to)]);
    if (!ends) continue;
    const [top, bottom] = [area.Y(ends[1]), area.Y(ends[0])];
    ctx.fillRect(area.left + column, top, 1, Math.max(1, bottom - top));
  }
}

function hit(view: Sound, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const area = lay(view, box, theme);
  const share = (x - area.left) / area.width;
  if (share < 0 || share > 1 || y < area.top) return null;
  return { words: [{ text: `${format(area.x.value(share))} s` }] };
}

let player: AudioContext | undefined;
let playing: AudioBufferSourceNode | undefined;

/** Plays the sound from its beginning; a second call stops what still plays. */
function play(view: Sound): void {
  if (!view.samples.data.length) return;
  playing?.stop();
  player ??= new AudioContext();
  const buffer = player.createBuffer(1, view.samples.data.length, view.rate);
  // What is not a number is silent; louder than full is cut, not wrapped.
  buffer.copyToChannel(Float32Array.from(view.samples.data, (one) => Math.min(1, Math.max(-1, one)) || 0), 0);
  playing = player.createBufferSource();
  playing.buffer = buffer;
  playing.connect(player.destination);
  playing.start();
}

function describe(view: Sound): string {
  return `${view.title || "A sound"} of ${format(seconds(view))} s at ${format(view.rate, 6)} Hz.`;
}

export const sound: Drawn<Sound> = { shape: "strip", height: 170, draw, hit, describe, action: { label: "Play the sound", run: play } };
