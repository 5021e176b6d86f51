/** A pad to draw points in classes on, with mouse, finger or keyboard: a data set of one's own. */
import { element, say } from "../shared/element";
import { frame, type Mounted, type Send } from "../shared/mount";
import { classColour } from "../shared/palette";
import themeCss from "../shared/theme.css?inline";
import { readTheme, signature } from "../shared/theme";
import { Canvas } from "./canvas";
import css from "./pad.css?inline";
import { begin, counts, dab, erase, missing, nothing, replaced, undo, type Drawn, type Point } from "./points";

export interface PadData {
  points: Point[];
  names: string[];
  /** Counts what the page has sent; points of an older count are an echo. */
  revision: number;
  /** What the button says. */
  action?: string;
}

const MOST_CLASSES = 6;
const LETTERS = ["A", "B", "C", "D", "E", "F"];
/** Part of the pad's side that the eraser reaches. */
const RUBBER = 0.12;

export function mount(root: HTMLElement, data: PadData, send: Send): Mounted<PadData> {
  const body = frame(root, themeCss + css, "orrery drawpad");
  let revision = -1;
  let drawn: Drawn = nothing;
  let names = ["A", "B"];
  const brush = { label: 0, count: 5, spread: 0.1 };
  let rubbing = false;

  const chips = element("div", { class: "chips", role: "radiogroup", "aria-label": "Class to draw" });
  const rename = element("input", { type: "text", maxlength: 20, "aria-label": "Name of the chosen class" });
  const rubber = element("button", { type: "button", "aria-pressed": "false" }, "Eraser");
  const back = element("button", { type: "button" }, "Undo");
  const clear = element("button", { type: "button" }, "Clear");
  const use = element("button", { type: "button", class: "use" }, data.action ?? "Use these points");
  const told = element("p", { class: "told", role: "status" });
  const canvas = new Canvas({
    begin: () => change(begin(drawn)),
    at: (x, y) => change(rubbing ? erase(drawn, x, y, RUBBER) : dab(drawn, x, y, brush)),
    key: (key, ctrl) => pressed(key, ctrl),
  });

  const head = element("div", { class: "head" }, chips, rename);
  const tools = element(
    "div", { class: "tools" },
    slider("Points a dab", 1, 30, 1, brush.count, (value) => (brush.count = value)),
    slider("Spread", 0, 0.4, 0.02, brush.spread, (value) => (brush.spread = value)),
    rubber, back, clear,
  );
  const hint = element("p", { class: "hint" }, "Drag to draw. Keys: arrows move, space draws, 1 to 6 choose a class, E is the eraser, Ctrl+Z takes back.");
  body.append(head, canvas.element, tools, element("div", { class: "end" }, use, told), hint);

  rubber.onclick = () => rub(!rubbing);
  back.onclick = () => change(undo(drawn));
  clear.onclick = () => change(replaced(drawn, []));
  rename.oninput = () => {
    names[brush.label] = rename.value;
    show();
  };
  rename.onblur = () => {
    names[brush.label] = rename.value.trim() || LETTERS[brush.label]!;
    show();
  };
  use.onclick = () => send({ points: drawn.points, names: names.map((name, place) => name.trim() || LETTERS[place]!) });

  function rub(on: boolean): void {
    rubbing = on;
    rubber.setAttribute("aria-pressed", String(on));
    show();
  }

  function choose(label: number): void {
    if (label < 0 || label >= names.length) return;
    brush.label = label;
    rub(false);
  }

  function change(next: Drawn): void {
    drawn = next;
    show();
  }

  /** Whether the key means something here. */
  function pressed(key: string, ctrl: boolean): boolean {
    if (ctrl && key === "z") change(undo(drawn));
    else if (ctrl) return false;
    else if (/^[1-6]$/.test(key)) choose(Number(key) - 1);
    else if (key === "e" || key === "E") rub(!rubbing);
    else return false;
    return true;
  }

  function show(): void {
    const theme = readTheme(body);
    const each = counts(drawn.points, names.length);
    chips.replaceChildren(...names.map((name, label) => chip(name, label, each[label] ?? 0, theme.dark)));
    if (names.length < MOST_CLASSES) {
      const more = element("button", { type: "button", class: "more", "aria-label": "Another class" }, "+");
      more.onclick = () => {
        names = [...names, LETTERS[names.length]!];
        choose(names.length - 1);
      };
      chips.append(more);
    }
    if (rename.getRootNode() instanceof Document || (rename.getRootNode() as ShadowRoot).activeElement !== rename) {
      rename.value = names[brush.label] ?? "";
    }
    const lack = missing(drawn.points, names);
    use.disabled = Boolean(lack);
    back.disabled = !drawn.before.length;
    clear.disabled = !drawn.points.length;
    say(told, lack || `${drawn.points.length} points: ${names.map((name, label) => `${each[label] ?? 0} ${name}`).join(", ")}.`);
    canvas.show(drawn.points, rubbing ? RUBBER : Math.max(0.03, brush.spread), rubbing ? "" : classColour(brush.label, theme.dark), theme);
  }

  function chip(name: string, label: number, count: number, dark: boolean): HTMLElement {
    const dot = element("i", { style: `background:${classColour(label, dark)}` });
    const chosen = label === brush.label && !rubbing;
    const made = element(
      "button", { type: "button", role: "radio", "aria-checked": String(chosen), "aria-label": `Class ${name}, ${count} points` },
      dot, name || "…", element("small", {}, String(count)),
    );
    made.onclick = () => choose(label);
    return made;
  }

  function take(next: PadData): void {
    if (next.revision === revision) return;
    revision = next.revision;
    names = next.names.length >= 2 ? next.names.slice(0, 10) : names;
    brush.label = 0;
    if (next.points.length) change(replaced(drawn, next.points));
    else show();
  }

  take(data);
  let seen = "";
  const watch = window.setInterval(() => {
    const now = signature(body);
    if (now !== seen) show(); // light has become dark
    seen = now;
  }, 1000);
  return {
    update: take,
    destroy() {
      window.clearInterval(watch);
      canvas.destroy();
      root.replaceChildren();
    },
  };
}

function slider(label: string, low: number, high: number, step: number, begin: number, tell: (value: number) => void): HTMLElement {
  const input = element("input", { type: "range", min: low, max: high, step, value: begin });
  const shown = element("output", {}, String(begin));
  input.oninput = () => {
    tell(Number(input.value));
    shown.textContent = input.value;
  };
  return element("label", {}, `${label} `, input, " ", shown);
}
