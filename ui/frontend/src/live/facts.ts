/** The headline numbers of a run. */
import { element, say } from "../shared/element";
import { label, steady, unit } from "../shared/numbers";
import { number, type Named } from "./data";

export interface Facts {
  element: HTMLElement;
  show(facts: Named<number | null>): void;
}

/** About how wide a number is, in digits: points and spaces are narrower. */
function widthOf(words: string): number {
  const narrow = words.replace(/[^.\u2009]/g, "").length;
  return words.length - 0.5 * narrow;
}

/** A strip of names with numbers; a number's place never shrinks, so nothing beside it jumps. */
export function facts(): Facts {
  const strip = element("dl", { class: "facts" });
  const values = new Map<string, { row: HTMLElement; value: HTMLElement; longest: number }>();
  strip.hidden = true;

  function row(name: string): { row: HTMLElement; value: HTMLElement; longest: number } {
    const [words, measure] = unit(name);
    const value = element("span", { "data-testid": `fact-${words.toLowerCase().replace(/\W+/g, "-")}` });
    const row = element(
      "div", {}, element("dt", { title: name }, label(words)),
      element("dd", {}, value, ...(measure && measure !== "1" ? [element("small", {}, measure)] : [])),
    );
    strip.append(row);
    return { row, value, longest: 0 };
  }

  return {
    element: strip,
    show(facts) {
      for (const [name, { row }] of values) {
        if (name in facts) continue;
        row.remove();
        values.delete(name);
      }
      for (const [name, fact] of Object.entries(facts)) {
        const found = values.get(name) ?? row(name);
        values.set(name, found);
        const words = steady(number(fact));
        say(found.value, words);
        const width = widthOf(words);
        if (width <= found.longest) continue;
        found.longest = width;
        found.value.style.minWidth = `${width}ch`;
      }
      strip.hidden = values.size === 0;
    },
  };
}
