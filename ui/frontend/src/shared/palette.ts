/** Every colour that stands for a number: the same in every picture, on light and on dark. */

export type Rgb = readonly [number, number, number];
export type Scale = "sequential" | "signed" | "classes" | "grey";

/** Viridis at eleven even steps. Source: Smith, van der Walt (2015), matplotlib's default map. */
const VIRIDIS = [
  "#440154", "#482475", "#414487", "#355f8d", "#2a788e", "#21918c",
  "#22a884", "#44bf70", "#7ad151", "#bddf26", "#fde725",
].map(hex);

/** Colour-blind-safe classes, after Okabe, Ito (2008), Color Universal Design; darkened or
 * lightened until each stands off its background by 3 : 1. */
const CLASSES = {
  light: ["#0072b2", "#cf7e00", "#008f68", "#bf5590", "#3790c8", "#d1440c", "#8f8300", "#7d5fb8", "#6b7280", "#8a5a2b"],
  dark: ["#4ba3e3", "#f2ab3c", "#2fc497", "#e18ac0", "#8fd0f5", "#f0703c", "#e8dc52", "#a894f0", "#a3acb8", "#c4955f"],
};

const SIGN = {
  light: { positive: "#0072b2", negative: "#d0670a" },
  dark: { positive: "#4ba3e3", negative: "#f29b3c" },
};

/** `#rrggbb` as three numbers from 0 to 255. */
export function hex(text: string): Rgb {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Three numbers and an opacity as a CSS colour. */
export function css([red, green, blue]: Rgb, opacity = 1): string {
  return `rgba(${Math.round(red)},${Math.round(green)},${Math.round(blue)},${opacity})`;
}

/** The colour `share` of the way from `from` to `to`. */
export function mix(from: Rgb, to: Rgb, share: number): Rgb {
  return [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ];
}

/** How light a colour looks, 0 (black) to 1 (white): WCAG's relative luminance. */
export function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The colour of class number `index`. */
export function classColour(index: number, dark: boolean): string {
  const colours = dark ? CLASSES.dark : CLASSES.light;
  const at = ((Math.round(index) % colours.length) + colours.length) % colours.length;
  return colours[at] as string;
}

/** Blue above zero, orange below. */
export function signColour(value: number, dark: boolean): string {
  const colours = dark ? SIGN.dark : SIGN.light;
  return value < 0 ? colours.negative : colours.positive;
}

/** The colour at `share`, 0 to 1, of a continuous scale; for `signed`, 0.5 is zero. NaN has none. */
export function colourAt(scale: Scale, share: number, dark: boolean, background: Rgb): Rgb {
  if (Number.isNaN(share)) return background;
  const at = Math.min(1, Math.max(0, share));
  if (scale === "grey") return [255 * at, 255 * at, 255 * at];
  if (scale === "classes") return hex(classColour(at * 255, dark));
  if (scale === "signed") {
    // The middle is the background itself: what is zero is not there. The ends are full colour.
    const distance = Math.abs(at - 0.5) * 2;
    return mix(background, hex(signColour(at - 0.5, dark)), distance ** 0.85);
  }
  const position = at * (VIRIDIS.length - 1);
  const below = Math.min(VIRIDIS.length - 2, Math.floor(position));
  return mix(VIRIDIS[below] as Rgb, VIRIDIS[below + 1] as Rgb, position - below);
}

const tables = new Map<string, Uint32Array>();

/**
 * A scale as 256 pixels of `ImageData` (little-endian RGBA), index 0 the lowest value.
 *
 * For `classes` the index is the class itself.
 */
export function pixels(scale: Scale, dark: boolean, background: Rgb): Uint32Array {
  const key = `${scale} ${dark} ${background.join()}`;
  let table = tables.get(key);
  if (!table) {
    table = Uint32Array.from({ length: 256 }, (_, index) => {
      const [red, green, blue] = colourAt(scale, index / 255, dark, background).map(Math.round) as [number, number, number];
      return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    });
    if (tables.size > 32) tables.clear();
    tables.set(key, table);
  }
  return table;
}
