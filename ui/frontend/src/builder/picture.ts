/** The canvas as a picture that stands by itself: SVG, or PNG made of it. */
import { dotOf, type CardNode, type WireEdge } from "./flow";
import { line } from "./lines";
import { exact, shapeWords, typeWords } from "./words";

/** Colours as the page has them now. */
export interface Ink {
  readonly background: string;
  readonly card: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly border: string;
  readonly bad: string;
  /** The colour of a category's bar. */
  kind(category: number): string;
}

const FRAME = 24;

/** All cards and wires, whatever part of them is on the screen. */
export function svgOf(cards: readonly CardNode[], wires: readonly WireEdge[], ink: Ink, title: string): string {
  const places = new Map(cards.map((card) => [card.id, card]));
  const box = boundsOf(cards, wires);
  const [width, height] = [box.right - box.left + 2 * FRAME, box.bottom - box.top + 2 * FRAME];
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${box.left - FRAME} ${box.top - FRAME} ${width} ${height}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `<title>${escaped(title)}</title>`,
    `<rect x="${box.left - FRAME}" y="${box.top - FRAME}" width="${width}" height="${height}" fill="${ink.background}"/>`,
    ...wires.map((wire) => drawWire(wire, places, ink)),
    ...cards.map((card) => drawCard(card, ink)),
    "</svg>",
  ];
  return parts.join("\n");
}

interface Bounds {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function boundsOf(cards: readonly CardNode[], wires: readonly WireEdge[]): Bounds {
  const xs = cards.flatMap((card) => [card.position.x, card.position.x + (card.width ?? 0)]);
  const ys = cards.flatMap((card) => [card.position.y, card.position.y + (card.height ?? 0)]);
  for (const wire of wires) {
    for (const [x, y] of wire.data?.route?.points ?? []) {
      xs.push(x);
      ys.push(y);
    }
  }
  if (xs.length === 0) return { left: 0, top: 0, right: 0, bottom: 0 };
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** A wire with its shape. */
function drawWire(wire: WireEdge, cards: ReadonlyMap<string, CardNode>, ink: Ink): string {
  const [from, to] = [dotOf(cards.get(wire.source), wire.sourceHandle), dotOf(cards.get(wire.target), wire.targetHandle)];
  if (!from || !to || !wire.data) return "";
  const course = line(from, to, wire.data.direction, wire.data.route);
  const wrong = wire.data.level === "error";
  const [x, y] = course.label;
  const shape = wire.data.shape ? shapeWords(wire.data.shape) : "";
  return (
    `<path d="${course.path}" fill="none" stroke="${wrong ? ink.bad : ink.line}" stroke-width="1.5"${wrong ? ' stroke-dasharray="6 4"' : ""}/>` +
    (shape ? `<text x="${x}" y="${y - 6}" font-size="11" text-anchor="middle" fill="${wrong ? ink.bad : ink.muted}">${escaped(shape)}</text>` : "")
  );
}

function drawCard({ position: { x, y }, width = 0, height = 0, data }: CardNode, ink: Ink): string {
  const { node, facts, params, category, output } = data;
  const wrong = facts?.problems.some((problem) => problem.level === "error");
  const colour = ink.kind(category);
  const stack = node.type === "Block" ? `<rect x="${x + 5}" y="${y + 5}" width="${width}" height="${height}" rx="8" fill="${ink.card}" stroke="${ink.border}"/>` : "";
  const text = (at: readonly [number, number], size: number, words: string, fill: string, more = ""): string =>
    `<text x="${x + at[0]}" y="${y + at[1]}" font-size="${size}" fill="${fill}"${more}>${escaped(words)}</text>`;
  const right = width - 12;
  return [
    `<g>${stack}<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${ink.card}" stroke="${wrong ? ink.bad : ink.border}"/>`,
    `<path d="M${x + 4} ${y}h-0a4 8 0 0 0 -4 8v${height - 16}a4 8 0 0 0 4 8z" fill="${colour}"/>`,
    text([14, 22], 13, cut(node.id, 16), ink.text, ' font-weight="600"'),
    text([right, 22], 11, cut(typeWords(node), 14), ink.muted, ' text-anchor="end"'),
    text([14, 41], 11.5, cut(params, 25), ink.muted),
    text([14, 60], 12, (facts?.output ? shapeWords(facts.output) : "") + (output ? "  output" : ""), ink.text),
    facts && facts.parameters > 0 ? text([right, 60], 11, exact(facts.parameters), ink.muted, ' text-anchor="end"') : "",
    "</g>",
  ].join("");
}

function cut(words: string, most: number): string {
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** The colours that the page has at an element now. */
export function inkOf(element: HTMLElement): Ink {
  const probe = document.createElement("span");
  element.append(probe);
  const colour = (value: string): string => {
    probe.style.color = value;
    return rgbOf(getComputedStyle(probe).color);
  };
  const kinds = Array.from({ length: 10 }, (_, number) => {
    probe.className = `kind-${number}`;
    return colour("var(--kind)");
  });
  probe.className = "";
  const line = colour("var(--line)");
  const ink: Ink = {
    background: colour("var(--background)"),
    card: colour("var(--card, var(--background))"),
    text: colour("var(--text)"),
    muted: colour("var(--muted)"),
    line,
    border: colour("var(--border)"),
    bad: colour("var(--bad)"),
    kind: (category: number) => (category < 0 ? line : (kinds[category % 10] as string)),
  };
  probe.remove();
  return ink;
}

/** Any colour of CSS as one that every program reads. */
function rgbOf(css: string): string {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  if (!context) return css;
  context.canvas.width = context.canvas.height = 1;
  context.fillStyle = css;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data as unknown as [number, number, number, number];
  return alpha === 255 ? `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}` : `rgba(${red},${green},${blue},${(alpha / 255).toFixed(3)})`;
}

/** At most this many picture points on a side; browsers draw no larger ones. */
const LARGEST = 8192;

export async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const scale = Math.min(2, LARGEST / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}

/** Gives the visitor a file. */
export function download(name: string, content: Blob | string, type = "application/octet-stream"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
