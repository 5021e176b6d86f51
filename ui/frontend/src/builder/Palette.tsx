/** All layers by category: click to add one after the chosen, or drag it onto the canvas. */
import { useMemo, useRef, useState, type JSX, type KeyboardEvent, type PointerEvent } from "react";
import type { LayerType } from "./api";
import { search } from "./Chooser";
import { useModel, usePart } from "./context";
import { categoryNumbers, kindClass } from "./flow";
import { kinds, kindWords, OWN_BLOCKS } from "./kinds";

export interface Dragged {
  readonly type: string;
  readonly x: number;
  readonly y: number;
}

interface Props {
  /** A layer is being dragged; `undefined` when it was let go or given up. */
  readonly onDrag: (dragged: Dragged | undefined) => void;
  readonly onDrop: (dragged: Dragged) => void;
  readonly onAdded: () => void;
}

/** With more layers than this, the categories are closed at first: a table of contents. */
const MANY = 40;
/** How far a press must move to be a drag [px]. */
const SLACK = 6;

export function Palette({ onDrag, onDrop, onAdded }: Props): JSX.Element {
  const model = useModel();
  const known = usePart((state) => state.layers);
  const whole = usePart((state) => state.whole);
  const inside = usePart((state) => state.inside);
  const online = usePart((state) => state.online);
  const layers = useMemo(() => kinds(known, whole, inside), [known, whole, inside]);
  const [query, setQuery] = useState("");
  // Which categories the visitor turned over from how they stand at first.
  const [turned, setTurned] = useState<ReadonlySet<string>>(new Set());
  const groups = useMemo(() => grouped(layers, query), [layers, query]);
  const numbers = useMemo(() => categoryNumbers(known), [known]);
  const first = groups[0]?.[1][0];
  const open = (category: string): boolean => query !== "" || turned.has(category) === (layers.length > MANY && category !== OWN_BLOCKS);

  const toggle = (category: string): void => {
    setTurned((old) => {
      const next = new Set(old);
      if (!next.delete(category)) next.add(category);
      return next;
    });
  };
  const add = (type: string, branch: boolean): void => {
    model.append(type, branch);
    onAdded();
  };

  return (
    <div className="palette-body" onKeyDown={walk}>
      <input
        type="search"
        placeholder="Search layers"
        aria-label="Search layers"
        data-testid="palette-search"
        value={query}
        onChange={(event) => setQuery(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && first && query) add(first.type, event.shiftKey);
          if (event.key === "Escape") setQuery("");
        }}
      />
      <div className="groups">
        {groups.map(([category, members]) => (
          <section key={category}>
            <button type="button" className="category" tabIndex={-1} aria-expanded={open(category)} onClick={() => toggle(category)}>
              <span className={`dot ${kindClass(numbers.get(category))}`} />
              {category}
              <span className="many">{members.length}</span>
            </button>
            {open(category) &&
              members.map((layer) => (
                <Item key={layer.type} layer={layer} onAdd={(branch) => add(layer.type, branch)} onDrag={onDrag} onDrop={onDrop} />
              ))}
          </section>
        ))}
        {layers.length > 0 && groups.length === 0 && <p className="help">No layer of that name.</p>}
        {layers.length === 0 && <p className="help">{online ? "Fetching the layers…" : "The layers come when the server answers."}</p>}
      </div>
    </div>
  );
}

function Item({ layer, onAdd, onDrag, onDrop }: { layer: LayerType; onAdd: (branch: boolean) => void } & Pick<Props, "onDrag" | "onDrop">): JSX.Element {
  const justDragged = useRef(false);
  const start = useRef<{ x: number; y: number; dragging: boolean } | undefined>(undefined);
  const dragged = (event: PointerEvent): Dragged => ({ type: layer.type, x: event.clientX, y: event.clientY });
  const end = (event: PointerEvent, dropped: boolean): void => {
    const was = start.current;
    start.current = undefined;
    if (!was?.dragging) return;
    onDrag(undefined);
    if (dropped) onDrop(dragged(event));
    // The click that follows a drag must not add the layer a second time.
    justDragged.current = true;
    setTimeout(() => (justDragged.current = false), 60);
  };
  return (
    <button
      type="button"
      className="item"
      tabIndex={-1}
      data-testid={`palette-${layer.type}`}
      title={`${layer.help} (Click: after the chosen layer. Shift: as a new branch. Or drag it to a place.)`}
      onClick={(event) => !justDragged.current && onAdd(event.shiftKey)}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        start.current = { x: event.clientX, y: event.clientY, dragging: false };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const from = start.current;
        if (!from) return;
        const [dx, dy] = [Math.abs(event.clientX - from.x), Math.abs(event.clientY - from.y)];
        // A finger that moves along the list scrolls it; only one that leaves it sideways drags.
        const leaves = event.pointerType === "touch" ? dx > SLACK && dx > dy : dx + dy > SLACK;
        if (leaves) from.dragging = true;
        if (from.dragging) onDrag(dragged(event));
      }}
      onPointerUp={(event) => end(event, true)}
      onPointerCancel={(event) => end(event, false)}
    >
      {kindWords(layer.type)}
    </button>
  );
}

/** The palette is one stop of the Tab key; within it the arrow keys go up and down. */
function walk(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  const stops = [...event.currentTarget.querySelectorAll<HTMLElement>("input, .category, .item")];
  stops[stops.indexOf(event.target as HTMLElement) + step]?.focus();
  event.preventDefault();
}

function grouped(layers: readonly LayerType[], query: string): [string, LayerType[]][] {
  const found = search(layers.map((layer) => ({ key: layer.type, title: kindWords(layer.type), group: layer.category, note: layer.help, layer })), query);
  const groups = new Map<string, LayerType[]>();
  for (const { layer } of found) groups.set(layer.category, [...(groups.get(layer.category) ?? []), layer]);
  return [...groups];
}
