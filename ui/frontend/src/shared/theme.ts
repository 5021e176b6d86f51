/** The host's theme as numbers and words a canvas can use. */
import { css, luminance, mix, signColour, type Rgb } from "./palette";

export interface Theme {
  /** Whether the background is dark. */
  dark: boolean;
  text: string;
  /** Second-rank text: axes, captions. */
  muted: string;
  /** Grid lines, frames. */
  faint: string;
  background: Rgb;
  paper: string;
  accent: string;
  positive: string;
  negative: string;
  /** Font family. */
  font: string;
  /** Font size of labels [px]. */
  size: number;
  /** Width of a plain line [px]. */
  line: number;
  /** Whether the visitor asked for stillness. */
  still: boolean;
}

/** A computed CSS colour as three numbers; browsers write `rgb(...)` or `color(srgb ...)`. */
export function parse(colour: string, fallback: Rgb): Rgb {
  const numbers = colour.match(/-?[\d.]+(e-?\d+)?/g)?.map(Number);
  if (!numbers || numbers.length < 3) return fallback;
  const scale = colour.startsWith("color(") ? 255 : 1;
  return [numbers[0]! * scale, numbers[1]! * scale, numbers[2]! * scale];
}

/** A number that changes when the host's theme does; cheap enough to ask every second. */
export function signature(element: HTMLElement): string {
  const style = getComputedStyle(element);
  return `${style.color} ${style.getPropertyValue("--background")} ${style.getPropertyValue("--accent")} ${style.fontFamily}`;
}

/** Reads the theme of an element with class `orrery` and sets its class `dark`. */
export function readTheme(element: HTMLElement, present = false): Theme {
  const probe = document.createElement("span");
  element.append(probe);
  const read = (name: string, fallback: Rgb): Rgb => {
    probe.style.color = `var(--${name})`;
    return parse(getComputedStyle(probe).color, fallback);
  };
  const text = read("text", [29, 37, 48]);
  const background = read("background", [255, 255, 255]);
  const accent = read("accent", [0, 114, 178]);
  probe.remove();
  const dark = luminance(background) < 0.25;
  element.classList.toggle("dark", dark);
  return {
    dark,
    text: css(text),
    muted: css(mix(background, text, 0.66)),
    faint: css(mix(background, text, dark ? 0.2 : 0.13)),
    background,
    paper: css(background),
    accent: css(accent),
    positive: signColour(1, dark),
    negative: signColour(-1, dark),
    font: getComputedStyle(element).fontFamily || "sans-serif",
    size: present ? 16 : 12,
    line: present ? 2.5 : 1.5,
    still: globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false,
  };
}
