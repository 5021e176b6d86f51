import { format } from "../../shared/numbers";
import { colourAt, css, luminance } from "../../shared/palette";
import type { Theme } from "../../shared/theme";
import type { Tokens } from "../data";
import { placeholder, roundedBox, textWidth, write, type Box, type Context, type Rectangle } from "../draw/canvas";
import { placeIn } from "./pointing";
import { largest, type Drawn, type Hit, type Look } from "./kind";

const PADDING = 5;
const GAP = 4;
const MOST_LINKS = 160;

interface Layout {
  places: Rectangle[];
  size: number;
}

/** A line break or a space of its own is a token too: it must be seen. */
function shown(token: string): string {
  return token.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replace(/^ +| +$/g, (spaces) => "·".repeat(spaces.length)) || "∅";
}

function lay(view: Tokens, box: Box, theme: Theme): Layout {
  let size = theme.size + 2;
  for (;;) {
    const linked = view.links.data.length > 0;
    const height = size + 2 * PADDING;
    const arcs = linked ? size * 3 : 0;
    const places: Rectangle[] = [];
    let [left, top] = [0, arcs];
    for (const token of view.tokens) {
      const width = textWidth(shown(token), theme, size) + 2 * PADDING;
      if (left > 0 && left + width > box.width) {
        left = 0;
        top += height + GAP + arcs;
      }
      places.push({ left, top, width, height });
      left += width + GAP;
    }
    if (top + height <= box.height || size <= 9) return { places, size };
    size -= 1;
  }
}

function draw(ctx: Context, view: Tokens, box: Box, theme: Theme, look: Look): void {
  if (!view.tokens.length) return placeholder(ctx, box, theme);
  const { places, size } = lay(view, box, theme);
  const most = Math.max(1e-12, Math.abs(view.weights.data[largest(view.weights.data, Math.abs)] ?? 1));
  view.tokens.forEach((token, index) => {
    const place = places[index]!;
    const weight = view.weights.data[index];
    const shade = Number.isFinite(weight) ? colourAt("signed", 0.5 + (0.5 * weight!) / most, theme.dark, theme.background) : null;
    roundedBox(ctx, place, 4);
    if (shade) {
      ctx.fillStyle = css(shade);
      ctx.fill();
    }
    const pointed = view.row && placeIn(look.pointed, view.row) === index;
    ctx.strokeStyle = pointed ? theme.text : look.picked === index ? theme.accent : theme.faint;
    ctx.lineWidth = pointed || look.picked === index ? 2 : 1;
    ctx.stroke();
    const colour = shade && Math.abs(luminance(shade) - luminance(theme.background)) > 0.3 ? (luminance(shade) > 0.3 ? "#14181f" : "#ffffff") : theme.text;
    write(ctx, shown(token), place.left + PADDING, place.top + place.height / 2 + 0.5, theme, { size, colour });
  });
  drawLinks(ctx, view, places, under(places, look.hover) ?? look.picked ?? null, theme);
}

/** Lines from token to token: the strongest, or those of the token under the pointer. */
function drawLinks(ctx: Context, view: Tokens, places: Rectangle[], only: number | null, theme: Theme): void {
  const count = view.tokens.length;
  const { data } = view.links;
  if (!data.length) return;
  const most = Math.max(1e-12, Math.abs(data[largest(data, Math.abs)] ?? 1));
  const order = Array.from(data.keys())
    .filter((index) => Math.abs(data[index]!) > 0.02 * most && (only === null || Math.floor(index / count) === only))
    .sort((one, other) => Math.abs(data[other]!) - Math.abs(data[one]!))
    .slice(0, MOST_LINKS);
  for (const index of order) {
    const [from, to] = [places[Math.floor(index / count)], places[index % count]];
    if (!from || !to || from === to) continue;
    const share = Math.min(1, Math.abs(data[index]!) / most);
    const [x1, x2] = [from.left + from.width / 2, to.left + to.width / 2];
    const rise = Math.min(Math.max(10, Math.abs(x2 - x1) * 0.35), from.height * 2.2);
    ctx.globalAlpha = 0.15 + 0.75 * share;
    ctx.strokeStyle = data[index]! < 0 ? theme.negative : theme.positive;
    ctx.lineWidth = theme.line * (0.5 + 1.5 * share);
    ctx.beginPath();
    ctx.moveTo(x1, from.top);
    ctx.bezierCurveTo(x1, from.top - rise, x2, to.top - rise, x2, to.top);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

function under(places: Rectangle[], at: Look["hover"]): number | null {
  if (!at) return null;
  const found = places.findIndex(({ left, top, width, height }) => (
    at[0] >= left && at[0] <= left + width && at[1] >= top && at[1] <= top + height
  ));
  return found < 0 ? null : found;
}

function hit(view: Tokens, box: Box, x: number, y: number, theme: Theme): Hit | null {
  const index = under(lay(view, box, theme).places, [x, y]);
  if (index === null) return null;
  const weight = view.weights.data[index];
  const words = [{ text: `${shown(view.tokens[index]!)}  (number ${index})` }];
  const pointed = view.row ? { looking: [view.row, index] as [string, number] } : undefined;
  return { index, words: weight === undefined ? words : [...words, { text: format(weight) }], ...(pointed && { pointed }) };
}

/** Room for all tokens of a long text in small letters, and for lines over them. */
function room(view: Tokens): number {
  return view.links.data.length ? 100 : Math.min(320, Math.round(64 + 0.45 * view.tokens.length));
}

function describe(view: Tokens): string {
  const top = largest(view.weights.data, Math.abs);
  const heaviest = top < 0 ? "" : `; the heaviest is “${view.tokens[top]}” with ${format(view.weights.data[top]!)}`;
  return `${view.title || "Words"}: ${view.tokens.slice(0, 30).join(" ") || "none yet"}${heaviest}.`;
}

export const tokens: Drawn<Tokens> = { shape: "strip", height: room, draw, hit, describe, marks: true };
