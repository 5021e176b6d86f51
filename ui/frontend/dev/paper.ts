/** A canvas for tests: it counts what is drawn and refuses what a browser would refuse. */
import type { Context } from "../src/live/draw/canvas";

export interface Paper {
  context: Context;
  /** How often each method was called. */
  calls: Record<string, number>;
  /** Every text that was written. */
  texts: string[];
}

export function paper(): Paper {
  const calls: Record<string, number> = {};
  const texts: string[] = [];
  let depth = 0;
  const state: Record<string, unknown> = { globalAlpha: 1 };
  const context = new Proxy(state, {
    get(_, name: string) {
      if (name === "measureText") return (text: string) => ({ width: text.length * 6 });
      if (name === "createLinearGradient") return () => ({ addColorStop() {} });
      if (name in state) return state[name];
      return (...args: unknown[]) => {
        calls[name] = (calls[name] ?? 0) + 1;
        if (name === "fillText") texts.push(String(args[0]));
        if (name === "save") depth += 1;
        if (name === "restore") depth -= 1;
        if (depth < 0) throw new Error("restored more often than saved");
        refuse(name, args);
      };
    },
    set(_, name: string, value: unknown) {
      if (name === "globalAlpha" && !((value as number) >= 0 && (value as number) <= 1)) throw new Error(`opacity ${String(value)}`);
      if (/Style$/.test(name) && typeof value === "string" && /NaN|undefined/.test(value)) throw new Error(`colour ${value}`);
      state[name] = value;
      return true;
    },
  }) as unknown as Context;
  return { context, calls, texts };
}

/** Canvas skips NaN in silence, so a lost label would not be seen; a negative radius throws. */
function refuse(name: string, args: unknown[]): void {
  if ((name === "arc" && (args[2] as number) < 0) || (name === "roundRect" && (args[4] as number) < 0)) throw new Error(`${name}: negative radius`);
  const placed = name === "fillText" ? args.slice(1) : ["lineTo", "moveTo", "arc", "fillRect"].includes(name) ? args : [];
  if (placed.some((one) => typeof one === "number" && Number.isNaN(one))) throw new Error(`${name}(${args.join()})`);
}
