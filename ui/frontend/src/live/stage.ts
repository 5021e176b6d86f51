/** The panels of a run: where they stand, which are drawn when. */
import { element } from "../shared/element";
import { label } from "../shared/numbers";
import { readTheme, signature, type Theme } from "../shared/theme";
import { arrange } from "./arrange";
import { listens, type Control } from "./controls/control";
import type { Named, View } from "./data";
import { Panel } from "./panel";
import { keep, nearest, next, recall, SIZES, type Size } from "./sizes";
import type { Hit, Pointed } from "./views/kind";

export interface Layout {
  main?: string;
  columns?: number;
  /** Strips that stand above all else. */
  top?: string[];
  /** Slots hidden at first. */
  hide?: string[];
  /** False for a thumbnail: one picture, nothing around it. */
  chrome?: boolean;
  caption?: string;
  /** Height of the main picture [px]. */
  height?: number;
  /** Whether a class looks at it on a projector. */
  present?: boolean;
}

export interface Stage {
  element: HTMLElement;
  /** Shows views; only those in `changed` are drawn anew. */
  show(views: Named<View>, changed: Set<string>): void;
  layout(layout: Layout): void;
  /** Tells panels which controls listen to clicks in them. */
  listen(controls: Control[]): void;
  /** Shows anew where the controls stand. */
  mark(): void;
  destroy(): void;
}

const THEME_EVERY = 1000; // [ms]: how soon a switch between light and dark is seen

export function stage(body: HTMLElement, hit: (slot: string, hit: Hit) => void): Stage {
  const grid = element("div", { class: "stage" });
  const hidden = element("div", { class: "hidden" });
  const dialog = element("dialog", { class: "large" });
  const all = element("div", {}, grid, hidden, dialog);
  const panels = new Map<string, Panel>();
  const { sizes, away } = recall(location.pathname);
  const dirty = new Set<Panel>();
  let wishes: Layout = {};
  let controls: Control[] = [];
  let theme: Theme | null = null;
  let seen = "";
  let request = 0;
  /** The slots as the run names them now. */
  let order: string[] = [];

  const listener = {
    dirty(panel: Panel): void {
      dirty.add(panel);
      request ||= requestAnimationFrame(draw);
    },
    hide(slot: string): void {
      // In the large window the cross closes it; only on the stage it hides.
      if (dialog.open) return dialog.close();
      away.add(slot);
      resettle();
    },
    resize(panel: Panel, to?: { width: number; height: number }): void {
      const size = to ? dragged(panel, to) : next(sizes.get(panel.slot));
      if (size === sizes.get(panel.slot)) return;
      if (size) sizes.set(panel.slot, size);
      else sizes.delete(panel.slot);
      resettle();
    },
    enlarge(panel: Panel): void {
      if (dialog.open) return dialog.close();
      dialog.setAttribute("aria-label", label(panel.slot));
      dialog.append(panel.element);
      dialog.showModal();
    },
    hit,
    point(pointed: Pointed | null): void {
      for (const panel of panels.values()) {
        if (!panel.marks) continue;
        panel.look.pointed = pointed;
        listener.dirty(panel);
      }
    },
  };
  dialog.onclose = () => place();
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close();
  };

  const sight = globalThis.IntersectionObserver && new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const panel = panels.get((target as HTMLElement).dataset.slot ?? "");
      if (!panel) continue;
      panel.visible = isIntersecting;
      if (isIntersecting && dirty.has(panel)) listener.dirty(panel);
    }
  }, { rootMargin: "100px" });

  function draw(now: number): void {
    request = 0;
    const present = Boolean(wishes.present);
    theme ??= readTheme(body, present);
    for (const panel of dirty) {
      // A picture stays dirty until it is seen; words are there for those who do not look.
      if (!panel.visible && panel.drawable) continue;
      dirty.delete(panel);
      panel.theme = theme;
      panel.draw(theme, present, now);
    }
  }

  function redraw(): void {
    theme = null;
    for (const panel of panels.values()) listener.dirty(panel);
  }

  const watch = setInterval(() => {
    const now = signature(body);
    if (now === seen) return;
    seen = now;
    redraw();
  }, THEME_EVERY);

  /** The size that fits what a corner was dragged to [px]: by its width, in one column by its height. */
  function dragged(panel: Panel, { width, height }: { width: number; height: number }): Size {
    const twelfth = grid.clientWidth / 12;
    if (panel.element.clientWidth > 11 * twelfth && grid.clientWidth < 640) return nearest(height / panel.natural, "height");
    return nearest(width / twelfth, "columns");
  }

  function resettle(): void {
    keep(location.pathname, { sizes, away });
    place();
  }

  /** Puts every panel where it belongs; moves nothing that stands right already. */
  function place(): void {
    const items = order.flatMap((slot) => panels.get(slot) ?? []).filter(({ slot }) => !away.has(slot)).map(({ slot, shape }) => ({ slot, shape, size: sizes.get(slot) }));
    const shown = wishes.chrome === false ? items.filter(({ slot }) => slot === (wishes.main ?? items[0]?.slot)) : items;
    const cells = arrange(shown, grid.clientWidth || body.clientWidth, wishes);
    cells.forEach(({ slot, columns, rows, main }, index) => {
      const panel = panels.get(slot)!.element;
      panel.style.gridColumn = `span ${columns}`;
      panel.style.gridRow = `span ${rows}`;
      panel.classList.toggle("main", main);
      panel.classList.toggle("few", cells.length <= 2);
      const size = sizes.get(slot);
      panels.get(slot)!.sized(size);
      panel.style.setProperty("--scale", String(size ? SIZES[size].height : 1));
      if (grid.children[index] !== panel && !(dialog.open && dialog.contains(panel))) grid.insertBefore(panel, grid.children[index] ?? null);
    });
    const standing = new Set(cells.map(({ slot }) => slot));
    for (const [slot, panel] of panels) if (!standing.has(slot)) panel.element.remove();
    hidden.replaceChildren(...[...away].filter((slot) => panels.has(slot)).map(chip));
    hidden.hidden = !hidden.children.length || wishes.chrome === false;
  }

  function chip(slot: string): HTMLElement {
    const button = element("button", { type: "button", class: "chip" }, `Show ${label(slot)}`);
    button.onclick = () => {
      away.delete(slot);
      resettle();
    };
    return button;
  }

  let width = 0;
  const room = new ResizeObserver(() => {
    if (Math.abs(grid.clientWidth - width) < 1) return;
    width = grid.clientWidth;
    place();
  });
  room.observe(grid);

  function listen(newest: Control[]): void {
    controls = newest;
    for (const panel of panels.values()) {
      panel.ask(controls.find((control) => listens(control, panel.slot))?.asks ?? null);
    }
    mark();
  }

  function mark(): void {
    for (const panel of panels.values()) {
      const there = controls.filter((control) => listens(control, panel.slot));
      if (!there.length) continue;
      for (const control of there) control.mark?.(panel.look);
      listener.dirty(panel);
    }
  }

  return {
    element: all,
    show(views, changed) {
      const before = order.join(" ");
      order = Object.keys(views);
      let moved = before !== order.join(" ");
      for (const [slot, panel] of panels) {
        if (slot in views) continue;
        sight?.unobserve(panel.element);
        panel.destroy();
        panels.delete(slot);
        dirty.delete(panel);
        moved = true;
      }
      for (const [slot, view] of Object.entries(views)) {
        const panel = panels.get(slot);
        if (panel) {
          const { shape } = panel;
          if (changed.has(slot)) panel.show(view);
          moved ||= panel.shape !== shape;
          continue;
        }
        const made = new Panel(slot, view, listener);
        panels.set(slot, made);
        sight?.observe(made.element);
        moved = true;
      }
      if (!moved) return;
      place();
      listen(controls);
    },
    layout(layout) {
      wishes = layout;
      for (const slot of layout.hide ?? []) away.add(slot);
      if (layout.height) grid.style.setProperty("--main", `${layout.height}px`);
      else grid.style.removeProperty("--main");
      place();
      redraw();
    },
    listen,
    mark,
    destroy() {
      clearInterval(watch);
      cancelAnimationFrame(request);
      room.disconnect();
      sight?.disconnect();
      for (const panel of panels.values()) panel.destroy();
    },
  };
}
