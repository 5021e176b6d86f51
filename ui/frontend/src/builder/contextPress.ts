/** The menu of what was pressed with the right button, long with a finger, or with the menu key. */
import { useEffect, type RefObject } from "react";
import type { Desk } from "./context";
import { dropTarget } from "./drop";
import type { Model } from "./model";

const LONG = 500; // [ms]
/** A finger never lies quite still [px]. */
const SLACK = 10;
/** How far from a line's button still means the line [px]. */
const NEAR = 18;

export function useContextMenu(canvas: RefObject<HTMLElement | null>, model: Model, desk: Desk): void {
  const { open } = desk;
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let from: readonly [number, number] = [0, 0];
    const show = (x: number, y: number): void => {
      const under = dropTarget(element, x, y, NEAR);
      if (under?.node !== undefined) {
        if (!model.state.selection.has(under.node)) model.select([under.node]);
      } else if (under?.edge !== undefined) model.selectEdge(under.edge);
      else model.select([]);
      open({ kind: "context", near: [x, y] });
    };
    const onMenu = (event: MouseEvent): void => {
      event.preventDefault();
      clearTimeout(timer);
      const [x, y] = event.detail === 0 && event.clientX === 0 ? middleOf(element, model) : [event.clientX, event.clientY];
      show(x, y);
    };
    const onDown = (event: PointerEvent): void => {
      clearTimeout(timer);
      if (event.pointerType !== "touch" || !event.isPrimary) return;
      from = [event.clientX, event.clientY];
      timer = setTimeout(() => {
        swallowClick();
        show(...from);
      }, LONG);
    };
    const onMove = (event: PointerEvent): void => {
      if (Math.hypot(event.clientX - from[0], event.clientY - from[1]) > SLACK) clearTimeout(timer);
    };
    const onUp = (): void => clearTimeout(timer);
    element.addEventListener("contextmenu", onMenu);
    element.addEventListener("pointerdown", onDown, true);
    element.addEventListener("pointermove", onMove, true);
    element.addEventListener("pointerup", onUp, true);
    element.addEventListener("pointercancel", onUp, true);
    return () => {
      clearTimeout(timer);
      element.removeEventListener("contextmenu", onMenu);
      element.removeEventListener("pointerdown", onDown, true);
      element.removeEventListener("pointermove", onMove, true);
      element.removeEventListener("pointerup", onUp, true);
      element.removeEventListener("pointercancel", onUp, true);
    };
  }, [canvas, model, open]);
}

/** The finger that opened the menu is lifted over it: that must not press what lies there. */
function swallowClick(): void {
  const stop = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
  };
  const end = (): void => {
    setTimeout(() => removeEventListener("click", stop, true), 400);
    removeEventListener("pointerup", end, true);
    removeEventListener("pointercancel", end, true);
  };
  addEventListener("click", stop, true);
  addEventListener("pointerup", end, true);
  addEventListener("pointercancel", end, true);
}

/** Where the chosen card stands on the screen, for those who press the menu key. */
function middleOf(element: HTMLElement, model: Model): [number, number] {
  const card = model.chosen === undefined ? undefined : element.querySelector(`[data-testid="node-${model.chosen}"]`);
  const box = (card ?? element).getBoundingClientRect();
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
}
