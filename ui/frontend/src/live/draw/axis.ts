/** Axes: from numbers to shares of a length, with ticks at round values. */
import { format, power } from "../../shared/numbers";

export interface Tick {
  value: number;
  label: string;
}

export interface Axis {
  low: number;
  high: number;
  log: boolean;
  ticks: Tick[];
  /** Where a value lies, 0 at the low end and 1 at the high end; NaN where there is no place. */
  share(value: number): number;
  /** The value at a share. */
  value(share: number): number;
}

export interface AxisOptions {
  log?: boolean;
  /** About how many ticks. */
  count?: number;
  /** Whether the axis ends where the data end, not at the next round value. */
  snug?: boolean;
  /** Whether ticks stand at whole numbers only. */
  whole?: boolean;
}

/** The smallest of 1, 2 and 5 times a power of ten that cuts `span` into at most `count` parts. */
export function roundStep(span: number, count: number): number {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 5]) if (factor * power >= rough * 0.9999) return factor * power;
  return 10 * power;
}

/** Multiples of a round step inside `[low, high]`. */
export function linearTicks(low: number, high: number, count: number, whole = false): Tick[] {
  const step = whole ? Math.max(1, roundStep(high - low, count)) : roundStep(high - low, count);
  const first = Math.ceil(low / step - 1e-6);
  const last = Math.floor(high / step + 1e-6);
  const ticks: Tick[] = [];
  for (let index = first; index <= last && ticks.length < 50; index++) {
    const value = index * step;
    ticks.push({ value, label: label(value, step) });
  }
  return ticks;
}

/** All labels of an axis have the same number of decimals, so that they stand still. */
function label(value: number, step: number): string {
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  if (places > 4 || Math.abs(value) >= 1e6) return format(value, 4);
  if (places === 0) return format(value, 8);
  return value.toFixed(places).replace(/^-/, "−");
}

/** Powers of ten, thinned where there are many; values between them where there are few. */
export function logTicks(low: number, high: number, count: number): Tick[] {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.ceil(Math.log10(high) - 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / Math.max(2, count)));
  const decades = Math.log10(high / low);
  const factors = 3 * decades <= count + 2 ? [1, 2, 5] : 2 * decades <= count + 2 ? [1, 3] : [1];
  const ticks: Tick[] = [];
  for (let exponent = Math.floor(first / every) * every; exponent <= last; exponent += every) {
    for (const factor of factors) {
      const value = factor * 10 ** exponent;
      if (value >= low * 0.9999 && value <= high * 1.0001) ticks.push({ value, label: factor === 1 && Math.abs(exponent) > 3 ? power(exponent) : format(value, 2) });
    }
  }
  return ticks;
}

/** The finite (and, for a logarithmic axis, positive) ends of some arrays, or null. */
export function span(arrays: Iterable<ArrayLike<number>>, log = false): [number, number] | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of arrays) {
    for (let index = 0; index < values.length; index++) {
      const value = values[index]!;
      if (value - value !== 0 || (log && value <= 0)) continue; // NaN, infinite, or no logarithm
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** An axis over `ends`; without ends, from 0 to 1. */
export function axis(ends: [number, number] | null, options: AxisOptions = {}): Axis {
  const { log = false, count = 5, snug = false, whole = false } = options;
  let [low, high] = widened(ends ?? (log ? [0.1, 1] : [0, 1]), log);
  if (log) {
    if (!snug) [low, high] = [roundLog(low, Math.floor), roundLog(high, Math.ceil)];
    const [bottom, top] = [Math.log10(low), Math.log10(high)];
    return {
      low, high, log,
      ticks: logTicks(low, high, count),
      share: (value) => (value > 0 ? (Math.log10(value) - bottom) / (top - bottom) : Number.NaN),
      value: (share) => 10 ** (bottom + share * (top - bottom)),
    };
  }
  if (!snug) {
    // Zero is shown when it is near: heights above it can then be compared.
    if (low > 0 && low < 0.4 * high) low = 0;
    const step = roundStep(high - low, count);
    [low, high] = [Math.floor(low / step + 1e-6) * step, Math.ceil(high / step - 1e-6) * step];
  }
  return {
    low, high, log,
    ticks: linearTicks(low, high, count, whole),
    share: (value) => (value - low) / (high - low),
    value: (share) => low + share * (high - low),
  };
}

function widened([low, high]: [number, number], log: boolean): [number, number] {
  if (high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high))) return [low, high];
  if (log) return [low / 2, high * 2];
  const room = Math.abs(low) * 0.1 || 1;
  return [low - room, high + room];
}

function roundLog(value: number, round: (exponent: number) => number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factors = round === Math.floor ? [5, 2, 1] : [1, 2, 5, 10];
  const factor = factors.find((one) => (round === Math.floor ? one * power <= value * 1.0001 : one * power >= value * 0.9999));
  return (factor ?? 1) * power;
}
