/** One view on the stage: its title, its picture, and the hand that points at it. */
import { element, icon, say } from "../shared/element";
import { label } from "../shared/numbers";
import type { Theme } from "../shared/theme";
import type { View } from "./data";
import type { Size } from "./sizes";
import { placeholder, type Box, type Context } from "./draw/canvas";
import { readout } from "./draw/readout";
import { kindOf } from "./views";
import { look, type Built, type Drawn, type Hit, type Look, type Pointed, type Shape } from "./views/kind";

const ENLARGE = "M2 2h5v1.6H4.7l3 3-1.1 1.1-3-3V7H2zm12 12H9v-1.6h2.3l-3-3 1.1-1.1 3 3V9H14z";
const RESIZE = "M1 8.7h1.6v4.7h4.7V15H1zM15 7.3h-1.6V2.6H8.7V1H15z";
const CLOSE = "M3.2 4.3 4.3 3.2 8 6.9l3.7-3.7 1.1 1.1L9.1 8l3.7 3.7-1.1 1.1L8 9.1l-3.7 3.7-1.1-1.1L6.9 8z";
const PLAY = "M4 2.5v11l9-5.5z";
const LABEL_EVERY = 2000; // [ms]: a screen reader is told no faster
const TURN_STEP = 12; // one press of an arrow key turns as far as this drag [px]

interface Listener {
  /** Something can be drawn anew. */
  dirty(panel: Panel): void;
  hide(slot: string): void;
  /** To the next size, or to the one nearest to what its corner was dragged to [px]. */
  resize(panel: Panel, to?: { width: number; height: number }): void;
  enlarge(panel: Panel): void;
  /** The visitor pointed at a thing or a place; `done` at the end of a drag. */
  hit(slot: string, hit: Hit): void;
  /** The pointer is over a token, or over none any more. */
  point(pointed: Pointed | null): void;
}

export class Panel {
  readonly element: HTMLElement;
  readonly look: Look = look();
  private view: View;
  private readonly title = element("h3");
  private readonly act = button("", PLAY);
  private readonly size = button("", RESIZE);
  private readonly picture = element("div", { class: "picture" });
  private canvas: HTMLCanvasElement | null = null;
  private words: HTMLElement | null = null;
  private box: Box = { width: 0, height: 0 };
  private readonly sizes: ResizeObserver;
  private labelled = 0;
  private later: ReturnType<typeof setTimeout> | undefined;
  private dragging: [x: number, y: number] | null = null;
  /** Whether it is on the screen; what is not is not drawn. */
  visible = true;
  /** What clicks mean here. */
  private asked: "place" | "pick" | null = null;

  constructor(readonly slot: string, view: View, private readonly listener: Listener) {
    this.view = view;
    const enlarge = button(`Enlarge ${label(slot)}`, ENLARGE);
    const hide = button(`Hide ${label(slot)}`, CLOSE);
    enlarge.onclick = () => listener.enlarge(this);
    hide.onclick = () => listener.hide(slot);
    this.act.onclick = () => this.drawn()?.action?.run(this.view);
    this.size.onclick = () => listener.resize(this);
    this.size.classList.add("size");
    this.sized(undefined);
    const head = element("header", {}, this.title, this.act, this.size, enlarge, hide);
    this.element = element("figure", { class: "panel", "data-slot": slot }, head, this.picture, this.corner());
    this.sizes = new ResizeObserver(() => listener.dirty(this));
    this.build();
    this.show(view);
  }

  /** Tells how large it is by the visitor's choice. */
  sized(size: Size | undefined): void {
    const words = `Size of ${label(this.slot)}: ${size ?? "automatic"}. Change it`;
    if (this.size.title === words) return;
    this.size.title = this.size.ariaLabel = words;
    this.size.dataset.size = size ?? "";
  }

  /** The height of its picture without a choice of size [px]. */
  get natural(): number {
    return Number.parseFloat(this.picture.style.getPropertyValue("--height")) || 220;
  }

  /** A corner to drag; the button does the same by keyboard. */
  private corner(): HTMLElement {
    const grip = element("div", { class: "grip", title: "Drag to resize" });
    let from: { x: number; y: number; width: number; height: number } | null = null;
    grip.onpointerdown = (event) => {
      grip.setPointerCapture?.(event.pointerId);
      from = { x: event.clientX, y: event.clientY, width: this.element.clientWidth, height: this.picture.clientHeight };
      event.preventDefault();
    };
    grip.onpointermove = ({ clientX, clientY }) => {
      if (from) this.listener.resize(this, { width: from.width + clientX - from.x, height: from.height + clientY - from.y });
    };
    grip.onpointerup = grip.onpointercancel = () => {
      from = null;
    };
    return grip;
  }

  /** Whether it marks what is pointed at elsewhere. */
  get marks(): boolean {
    return Boolean(this.drawn()?.marks);
  }

  get shape(): Shape {
    const shape = kindOf(this.view)?.shape ?? "words";
    return typeof shape === "function" ? shape(this.view) : shape;
  }

  /** Whether it is a picture on a canvas rather than words. */
  get drawable(): boolean {
    return this.canvas !== null;
  }

  /** Takes a new view; it is drawn when the stage says so. */
  show(view: View): void {
    const other = view.kind !== this.view.kind;
    this.view = view;
    if (other) this.build();
    const height = kindOf(view)?.height ?? 60;
    this.picture.style.setProperty("--height", `${typeof height === "function" ? height(view) : height}px`);
    const title = view.title || label(this.slot);
    say(this.title, title);
    // A note speaks for itself; the name of its slot would only stand in the way.
    this.element.classList.toggle("untitled", view.kind === "Note" && !view.title);
    if (this.title.title !== title) this.title.title = title;
    this.listener.dirty(this);
  }

  /** Says what a click on the picture means. */
  ask(kind: "place" | "pick" | null): void {
    this.asked = kind;
    if (this.canvas) this.canvas.dataset.ask = kind ?? "";
    if (this.canvas && (kind === "pick" || this.drawn()?.turn)) this.canvas.tabIndex = 0;
    if (this.canvas) this.canvas.style.touchAction = kind === "place" || this.drawn()?.turn ? "none" : "pan-y";
  }

  private drawn(): Drawn<View> | null {
    const kind = kindOf(this.view);
    return kind && "draw" in kind ? kind : null;
  }

  private build(): void {
    const kind = kindOf(this.view);
    this.sizes.disconnect();
    this.canvas = this.words = null;
    const action = this.drawn()?.action;
    this.act.hidden = !action;
    if (action) this.act.title = this.act.ariaLabel = action.label;
    if (kind && "draw" in kind) {
      this.canvas = element("canvas", { role: "img", tabindex: kind.turn ? 0 : undefined });
      this.listen(this.canvas);
      this.picture.replaceChildren(this.canvas);
      this.sizes.observe(this.picture);
    } else {
      this.words = element("div", { class: "words", tabindex: 0, role: "group" });
      this.picture.replaceChildren(this.words);
    }
    this.ask(this.asked);
  }

  /** Draws the newest view; whatever goes wrong stays in this panel. */
  draw(theme: Theme, present: boolean, now: number): void {
    const kind = kindOf(this.view);
    if (!kind) {
      if (this.words) say(this.words, `This page does not know ${this.view.kind}. Reload it.`);
    } else if ("draw" in kind) {
      this.paint(kind, theme, present);
    } else if (this.words) {
      this.write(kind, this.words);
    }
    if (kind && now - this.labelled >= LABEL_EVERY) this.describe(now);
    else this.later ||= setTimeout(() => this.again(), LABEL_EVERY);
  }

  /** The words of the newest picture, told when there has been quiet. */
  private again(): void {
    this.later = undefined;
    this.listener.dirty(this);
  }

  private write(kind: Built<View>, words: HTMLElement): void {
    try {
      kind.build(words, this.view);
    } catch (problem) {
      say(words, `Could not show this: ${String(problem)}`);
    }
    // Grows with its words and never shrinks: what stands below keeps its place.
    const height = Math.min(words.scrollHeight, 340);
    if (height > Number.parseFloat(words.style.minHeight || "0")) words.style.minHeight = `${height}px`;
  }

  private paint(kind: Drawn<View>, theme: Theme, present: boolean): void {
    const ctx = this.canvas?.getContext("2d");
    if (!ctx || !this.canvas || !this.fit(this.canvas)) return;
    const density = globalThis.devicePixelRatio || 1;
    ctx.setTransform(density, 0, 0, density, 0, 0);
    ctx.clearRect(0, 0, this.box.width, this.box.height);
    ctx.save();
    try {
      kind.draw(ctx, this.view, this.box, theme, this.look);
      this.point(ctx, kind, theme, present);
    } catch (problem) {
      ctx.restore();
      ctx.save();
      ctx.clearRect(0, 0, this.box.width, this.box.height);
      placeholder(ctx, this.box, theme, "could not draw this view");
      console.error(`${this.slot}: could not draw`, problem);
    }
    ctx.restore();
  }

  private point(ctx: Context, kind: Drawn<View>, theme: Theme, present: boolean): void {
    const { hover } = this.look;
    if (!hover || this.dragging || present) return;
    const found = kind.hit?.(this.view, this.box, hover[0], hover[1], theme);
    if (found?.words.length) readout(ctx, found.words, hover[0], hover[1], this.box, theme);
  }

  /** Gives the canvas as many pixels as its place on the screen has; whether it has any. */
  private fit(canvas: HTMLCanvasElement): boolean {
    const { clientWidth: width, clientHeight: height } = this.picture;
    const density = globalThis.devicePixelRatio || 1;
    this.box = { width, height };
    const [across, down] = [Math.round(width * density), Math.round(height * density)];
    if (canvas.width !== across) canvas.width = across;
    if (canvas.height !== down) canvas.height = down;
    return width > 4 && height > 4;
  }

  private describe(now: number): void {
    this.labelled = now;
    const kind = kindOf(this.view);
    let words = label(this.slot);
    try {
      words = kind?.describe(this.view) ?? words;
    } catch (problem) {
      console.error(`${this.slot}: could not describe`, problem);
    }
    (this.canvas ?? this.words)?.setAttribute("aria-label", words);
  }

  private listen(canvas: HTMLCanvasElement): void {
    canvas.onpointermove = (event) => this.move(this.place(event), event);
    canvas.onpointerleave = () => {
      this.look.hover = null;
      if (this.marks) this.listener.point(null);
      this.listener.dirty(this);
    };
    canvas.onpointerdown = (event) => {
      this.dragging = this.place(event);
      canvas.setPointerCapture?.(event.pointerId);
      if (this.asked) this.aim(this.dragging);
    };
    canvas.onpointerup = canvas.onpointercancel = () => {
      this.dragging = null;
    };
    canvas.onkeydown = (event) => {
      const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      const turn = this.drawn()?.turn;
      if (by && this.asked === "pick") {
        event.preventDefault();
        return this.step(by[0]!, by[1]!);
      }
      if (!by || !turn) return;
      event.preventDefault();
      turn(this.look, by[0]! * TURN_STEP, by[1]! * TURN_STEP);
      this.listener.dirty(this);
    };
  }

  private place(event: PointerEvent): [x: number, y: number] {
    const { left, top } = this.picture.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  private move(at: [x: number, y: number], event: PointerEvent): void {
    this.look.hover = event.pointerType === "touch" && !this.dragging ? null : at;
    if (this.dragging) {
      this.drawn()?.turn?.(this.look, at[0] - this.dragging[0], at[1] - this.dragging[1]);
      this.dragging = at;
      if (this.asked === "place") this.aim(at);
    }
    if (this.marks && this.theme) this.listener.point(this.drawn()?.hit?.(this.view, this.box, ...at, this.theme)?.pointed ?? null);
    this.listener.dirty(this);
  }

  /** Picks what lies beside the thing that is picked, as an arrow key says. */
  private step(across: number, down: number): void {
    const { picked } = this.look;
    const beside = this.drawn()?.beside;
    const before = picked === null || picked < 0 ? null : picked;
    const index = before === null ? 0 : beside ? beside(this.view, before, across, down) : before + across + down;
    if (index >= 0) this.listener.hit(this.slot, { index, words: [] });
  }

  private aim([x, y]: [x: number, y: number]): void {
    if (!this.theme) return;
    const found = this.drawn()?.hit?.(this.view, this.box, x, y, this.theme);
    if (found) this.listener.hit(this.slot, found);
  }

  /** The theme of the last drawing: pictures are laid out by it. */
  theme: Theme | null = null;

  destroy(): void {
    clearTimeout(this.later);
    this.sizes.disconnect();
    this.element.remove();
  }
}

function button(name: string, path: string): HTMLButtonElement {
  return element("button", { type: "button", class: "quiet", title: name, "aria-label": name }, icon(path));
}
