/** The plane itself: points, a grid, and where the brush is. */
import { element } from "../shared/element";
import { classColour } from "../shared/palette";
import type { Theme } from "../shared/theme";
import { REACH, type Point } from "./points";

interface Deeds {
  /** A stroke begins. */
  begin(): void;
  /** The brush is down at a place of the plane. */
  at(x: number, y: number): void;
  /** A key was pressed; whether it meant something. */
  key(key: string, ctrl: boolean): boolean;
}

/** How far the brush must go before it dabs again, in units of the plane. */
const APART = 0.08;
/** How far an arrow key goes. */
const STEP = 0.1;

export class Canvas {
  readonly element: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private place: [number, number] | null = null;
  private points: readonly Point[] = [];
  private radius = 0.1;
  private colour = "";
  private theme: Theme | null = null;
  private readonly watch: ResizeObserver;

  constructor(private readonly deeds: Deeds) {
    this.canvas = element("canvas", {
      tabindex: 0, role: "application", "data-testid": "points-pad",
      "aria-label": "A plane to draw points on. Arrow keys move, space draws, number keys choose a class, E is the eraser.",
    });
    this.element = element("div", { class: "plane" }, this.canvas);
    this.follow();
    this.canvas.onkeydown = (event) => this.pressed(event);
    this.canvas.onblur = () => this.moved(null);
    this.watch = new ResizeObserver(() => this.paint());
    this.watch.observe(this.element);
  }

  /** Draws points, and the brush as wide as `radius` in its colour; no colour is the eraser. */
  show(points: readonly Point[], radius: number, colour: string, theme: Theme): void {
    Object.assign(this, { points, radius, colour, theme });
    this.paint();
  }

  destroy(): void {
    this.watch.disconnect();
  }

  private follow(): void {
    const { canvas, deeds } = this;
    let last: [number, number] | null = null;
    const at = (event: PointerEvent): [number, number] => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const x = ((event.clientX - left) / width) * 2 * REACH - REACH;
      const y = REACH - ((event.clientY - top) / height) * 2 * REACH;
      return [x, y];
    };
    canvas.onpointerdown = (event) => {
      if (event.button) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture?.(event.pointerId);
      last = at(event);
      deeds.begin();
      deeds.at(...last);
    };
    canvas.onpointermove = (event) => {
      this.moved(at(event));
      if (!last) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) {
        const next = at(one);
        if (Math.hypot(next[0] - last[0], next[1] - last[1]) < APART) continue;
        deeds.at(...next);
        last = next;
      }
    };
    canvas.onpointerup = canvas.onpointercancel = () => (last = null);
    canvas.onpointerleave = () => this.moved(null);
  }

  private pressed(event: KeyboardEvent): void {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    const [x, y] = this.place ?? [0, 0];
    if (by) {
      const far = event.shiftKey ? 3 * STEP : STEP;
      this.moved([x + far * by[0]!, y + far * by[1]!]);
    } else if (event.key === " ") {
      this.place = [x, y];
      this.deeds.begin();
      this.deeds.at(x, y);
    } else if (!this.deeds.key(event.key, event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  private moved(place: [number, number] | null): void {
    const within = (value: number): number => Math.min(REACH, Math.max(-REACH, value));
    this.place = place && [within(place[0]), within(place[1])];
    this.paint();
  }

  private paint(): void {
    const { canvas, theme } = this;
    const ctx = canvas.getContext("2d");
    const side = this.element.clientWidth;
    if (!ctx || !theme || !side) return;
    const sharp = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(side * sharp)) canvas.width = canvas.height = Math.round(side * sharp);
    ctx.setTransform(sharp, 0, 0, sharp, 0, 0);
    ctx.clearRect(0, 0, side, side);
    const X = (x: number): number => ((x + REACH) / (2 * REACH)) * side;
    const Y = (y: number): number => ((REACH - y) / (2 * REACH)) * side;
    ctx.strokeStyle = theme.faint;
    ctx.lineWidth = 1;
    for (const value of [-1, -0.5, 0, 0.5, 1]) {
      ctx.globalAlpha = value ? 0.5 : 1;
      line(ctx, X(value), 0, X(value), side);
      line(ctx, 0, Y(value), side, Y(value));
    }
    ctx.globalAlpha = 1;
    ctx.lineWidth = 0.8;
    ctx.strokeStyle = theme.paper;
    const radius = this.points.length > 800 ? 2.5 : 4;
    for (const [x, y, label] of this.points) {
      ctx.fillStyle = classColour(label, theme.dark);
      circle(ctx, X(x), Y(y), radius);
      ctx.fill();
      ctx.stroke();
    }
    if (!this.place) return;
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = this.colour || theme.muted;
    ctx.setLineDash(this.colour ? [] : [4, 3]);
    circle(ctx, X(this.place[0]), Y(this.place[1]), Math.max(5, (this.radius / (2 * REACH)) * side));
    ctx.stroke();
    ctx.setLineDash([]);
  }
}

function line(ctx: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

function circle(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
}
