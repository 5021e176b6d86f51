/** What a layer that is dragged from the palette would be dropped on. */

export interface Under {
  readonly edge?: number;
  readonly node?: string;
  /** Shows, or no longer shows, that this is what would be hit. */
  mark(on: boolean): void;
}

/** A wire need not be hit exactly [px]. */
const NEAR = 46;

export function dropTarget(stage: HTMLElement, x: number, y: number, near = NEAR): Under | undefined {
  const box = stage.getBoundingClientRect();
  if (x < box.left || x > box.right || y < box.top || y > box.bottom) return undefined;
  const root = stage.getRootNode() as ShadowRoot | Document;
  const here = root.elementsFromPoint(x, y);
  const card = here.map((element) => element.closest<HTMLElement>(".react-flow__node")).find(Boolean);
  const id = card?.dataset.id;
  if (card && id) return { node: id, mark: (on) => void card.classList.toggle("drop", on) };
  const tags = [...stage.querySelectorAll<HTMLElement>(".tag")];
  const tag = tags
    .map((element) => ({ element, away: distance(element, x, y) }))
    .filter(({ away }) => away < near)
    .sort((one, other) => one.away - other.away)[0]?.element;
  const wire = here.map((element) => element.closest<SVGGElement>(".react-flow__edge")).find(Boolean);
  const index = tag?.dataset.edge ?? wireIndex(stage, wire);
  if (index === undefined) return { mark: () => undefined };
  const shown = tag ?? stage.querySelector<HTMLElement>(`.tag[data-edge="${index}"]`);
  return { edge: Number(index), mark: (on) => void shown?.classList.toggle("drop", on) };
}

function wireIndex(stage: HTMLElement, wire: SVGGElement | null | undefined): string | undefined {
  const path = wire?.querySelector<SVGPathElement>("path[data-edge]");
  return path && stage.contains(path) ? path.dataset.edge : undefined;
}

function distance(element: Element, x: number, y: number): number {
  const box = element.getBoundingClientRect();
  return Math.hypot((box.left + box.right) / 2 - x, (box.top + box.bottom) / 2 - y);
}
