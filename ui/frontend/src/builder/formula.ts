/** Small sums in a block's parameters: `"=4 * width"`; the same that the server works out. */
import { isRecord, Refusal } from "./spec";

type Values = Readonly<Record<string, unknown>>;

export function isFormula(value: unknown): value is string {
  return typeof value === "string" && value.startsWith("=");
}

/** A value with every formula in it worked out; raises a `Refusal` where that cannot be. */
export function resolve(value: unknown, values: Values): unknown {
  if (isFormula(value)) return new Reader(value, values).all();
  if (Array.isArray(value)) return value.map((one) => resolve(one, values));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolve(one, values)]));
  return value;
}

/** Like `resolve`, where values may be formulas of another block themselves: those are put in as text. */
export function substitute(value: unknown, values: Values): unknown {
  if (Array.isArray(value)) return value.map((one) => substitute(one, values));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, substitute(one, values)]));
  if (!isFormula(value) || !namesIn(value).some((name) => isFormula(values[name]))) return resolve(value, values);
  const text = value.slice(1).replace(/[A-Za-z_]\w*/g, (name) => {
    const given = values[name];
    if (given === undefined) return name;
    return isFormula(given) ? (/^=\w+$/.test(given) ? given.slice(1) : `(${given.slice(1)})`) : String(given);
  });
  return `=${text}`;
}

/** Why a text is no formula of these values; `undefined` if it is one. */
export function formulaProblem(text: string, values: Values): string | undefined {
  try {
    resolve(text, values);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** The names that a formula uses. */
export function namesIn(text: string): string[] {
  return text.slice(1).match(/[A-Za-z_]\w*/g) ?? [];
}

/** Reads a sum from left to right: products bind stronger than sums, brackets strongest. */
class Reader {
  private readonly words: readonly string[];
  private at = 0;

  constructor(private readonly text: string, private readonly values: Values) {
    this.words = text.slice(1).match(/\d+(?:\.\d+)?|[A-Za-z_]\w*|\/\/|\S/g) ?? [];
  }

  all(): unknown {
    const value = this.sum();
    if (this.at < this.words.length) throw this.refusal();
    return value;
  }

  private sum(): unknown {
    let left = this.product();
    for (let sign = this.take("+", "-"); sign; sign = this.take("+", "-")) {
      const right = this.number(this.product());
      left = sign === "+" ? this.number(left) + right : this.number(left) - right;
    }
    return left;
  }

  private product(): unknown {
    let left = this.atom();
    for (let sign = this.take("*", "//"); sign; sign = this.take("*", "//")) {
      const right = this.number(this.atom());
      if (sign === "//" && right === 0) throw this.refusal();
      left = sign === "*" ? this.number(left) * right : Math.floor(this.number(left) / right);
    }
    return left;
  }

  private atom(): unknown {
    if (this.take("-")) return -this.number(this.atom());
    if (this.take("(")) {
      const inner = this.sum();
      if (!this.take(")")) throw this.refusal();
      return inner;
    }
    const word = this.words[this.at] ?? "";
    this.at += 1;
    if (/^\d/.test(word)) return Number(word);
    if (!/^[A-Za-z_]/.test(word)) throw this.refusal();
    if (!Object.hasOwn(this.values, word))
      throw new Refusal(`${this.text} names “${word}”, which is no parameter of the block${this.known()}.`);
    return this.values[word];
  }

  private take(...wanted: string[]): string | undefined {
    const word = this.words[this.at];
    if (word === undefined || !wanted.includes(word)) return undefined;
    this.at += 1;
    return word;
  }

  private number(value: unknown): number {
    if (typeof value !== "number") throw new Refusal(`${this.text} needs numbers; got ${JSON.stringify(value)}.`);
    return value;
  }

  private known(): string {
    const names = Object.keys(this.values);
    return names.length ? `; it has ${names.join(", ")}` : "; it has none yet";
  }

  private refusal(): Refusal {
    return new Refusal(`“${this.text}” is no sum such as =4 * width.`);
  }
}
