/** Numbers as people write them: as many digits as mean something. */

const SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A power of ten: `10⁻³`. */
export function power(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPT[Number(digit)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** A number with `digits` significant digits, a true minus, thin spaces between thousands. */
export function format(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size >= 1e7 || size < 1e-4) {
    const [mantissa, exponent] = size.toExponential(Math.max(0, digits - 1)).split("e") as [string, string];
    const plain = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return sign + (plain === "1" ? "" : `${plain}·`) + power(Number(exponent));
  }
  if (size >= 10 ** digits || Number.isInteger(size)) {
    return sign + String(Math.round(size)).replace(/\B(?=(\d{3})+$)/g, size >= 1e4 ? "\u2009" : "");
  }
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return sign + size.toFixed(places).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** A name split into words and the unit in brackets at its end: `loss [nat]`. */
export function unit(name: string): [words: string, unit: string] {
  const found = /^(.*?)\s*\[([^\]]*)\]$/.exec(name);
  return found ? [found[1] ?? "", found[2] ?? ""] : [name, ""];
}

/** A number that keeps its width while it changes: four significant digits, zeros kept. */
export function steady(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || Number.isInteger(value) || size >= 1e4 || size < 1e-3) return format(value, 4);
  const places = Math.min(4, Math.max(0, 3 - Math.floor(Math.log10(size))));
  return `${value < 0 ? "−" : ""}${size.toFixed(places)}`;
}

/** A parameter's or slot's name as a label: `learning_rate` reads "Learning rate"; symbols stay as they are. */
export function label(name: string): string {
  const words = name.replaceAll("_", " ").trim();
  return /^[a-z]{2}/.test(words) ? words.charAt(0).toUpperCase() + words.slice(1) : words;
}
