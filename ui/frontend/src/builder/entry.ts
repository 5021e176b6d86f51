/** Numbers as people type them. */
import type { Field } from "./api";

export interface Entered {
  value?: unknown;
  /** Why the text is no value of the field. */
  problem?: string;
}

export function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function readNumber(field: Field, text: string): Entered {
  if (text.trim() === "") return field.optional ? { value: null } : { problem: "A number is needed." };
  const value = Number(text);
  return Number.isFinite(value) ? within(field, value) : { problem: `“${text}” is not a number.` };
}

/** `3`, `3, 5`, `1 × 28 × 28`, `1x28x28`, or one of the field's words. */
export function readNumbers(field: Field, text: string): Entered {
  const clean = text.trim().replace(/^[[(]|[\])]$/g, "").trim();
  if (clean === "") return field.optional ? { value: null } : { problem: "A number is needed, or several with commas." };
  if (field.options?.includes(clean)) return { value: clean };
  const parts = clean.split(/\s*[,;×x\s]\s*/).filter(Boolean);
  const values: number[] = [];
  for (const part of parts) {
    const entered = readNumber({ ...field, kind: "integer" }, part);
    if (entered.problem !== undefined) return { problem: orWords(field, entered.problem) };
    values.push(entered.value as number);
  }
  const [only] = values;
  return { value: values.length === 1 && takesOne(field) ? only : values };
}

/** Whether a single number stands for all axes; a shape is a list even when it has one. */
function takesOne(field: Field): boolean {
  return typeof field.default === "number" || /kernel|stride|padding|dilation|scale/.test(field.name);
}

function within(field: Field, value: number): Entered {
  const { low, high } = field;
  if (field.kind === "integer" && !Number.isInteger(value)) return { problem: "A whole number is needed." };
  if (typeof low === "number" && value < low) return { problem: `At least ${low}; got ${value}.` };
  if (typeof high === "number" && value > high) return { problem: `At most ${high}; got ${value}.` };
  return { value };
}

function orWords(field: Field, problem: string): string {
  return field.options?.length ? `${problem} Or one of: ${field.options.join(", ")}.` : problem;
}
