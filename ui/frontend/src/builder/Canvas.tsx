/** The network as cards and wires that one can move, join and walk through. */
import {
  Background,
  MiniMap,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  useStore,
  type Connection,
  type NodeChange,
} from "@xyflow/react";
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState, type JSX, type Ref } from "react";
import { detours } from "./detours";
import { useDesk, useModel, usePart } from "./context";
import { Card } from "./Card";
import { arranged, cards, kindClass, wires, type Arranged, type CardNode, type WireEdge } from "./flow";
import { press, typing } from "./keys";
import type { Direction, Point, Size } from "./layout";
import { inkOf, svgOf } from "./picture";
import { useContextMenu } from "./contextPress";
import { nodeOf } from "./spec";
import { Tags } from "./Tags";
import { viewOf } from "./view";
import { Wire } from "./Wire";
import { nodeLabel } from "./words";

const NODE_TYPES = { card: Card };
const EDGE_TYPES = { wire: Wire };
const NO_PROMOTION = { hideAttribution: true };
/** Below this zoom shapes and buttons are too small to read or to hit. */
const FAR = 0.36;
const SMALLEST = 0.05;

export interface CanvasHandle {
  reveal(id: string): void;
  fit(): void;
  zoom(factor: number): void;
  /** All of it as SVG. */
  picture(): string;
  focus(): void;
  /** The place on the canvas of a point of the screen. */
  at(x: number, y: number): Point;
  places(): ReadonlyMap<string, Point>;
}

export function Canvas({ handle, size, narrow }: { handle: Ref<CanvasHandle>; size: Size; narrow: boolean }): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const flow = useReactFlow<CardNode, WireEdge>();
  const spec = usePart((state) => state.spec);
  const description = usePart((state) => state.description);
  const layers = usePart((state) => state.layers);
  const selection = usePart((state) => state.selection);
  const edge = usePart((state) => state.edge);
  const shown = usePart((state) => state.shown);
  const readonly = usePart((state) => state.readonly);
  const framing = usePart((state) => state.framing);
  const element = useRef<HTMLDivElement>(null);
  const touched = useRef(false);
  const direction: Direction = narrow ? "down" : "right";
  // A panel that opens must not fold the network anew for a few pixels.
  const view = useMemo(() => ({ width: Math.round(size.width / 160) * 160, height: Math.round(size.height / 160) * 160 }), [size]);

  // The wheel scrolls the page until the visitor has turned to the canvas.
  const [active, setActive] = useState(false);
  const [moved, setMoved] = useState<ReadonlyMap<string, Point>>(new Map());
  const oldShape = useRef<Arranged>(undefined);
  const shape = useMemo(
    () => (oldShape.current = arranged({ spec, description }, direction, view, oldShape.current)),
    [spec, description, direction, view],
  );
  const drawn = useMemo<Arranged>(() => (moved.size ? { ...shape, places: new Map([...shape.places, ...moved]) } : shape), [shape, moved]);
  const oldCards = useRef<CardNode[]>([]);
  const oldWires = useRef<WireEdge[]>([]);
  const nodes = useMemo(
    () => (oldCards.current = cards({ spec, description, layers, selection, arity: model.arity }, drawn, direction, oldCards.current)),
    [spec, description, layers, selection, drawn, direction, model],
  );
  const edges = useMemo(
    () => (oldWires.current = wires({ spec, description, edge, arity: model.arity }, moved.size ? detours(spec, drawn.places, drawn.sizes, direction) : shape.routes, direction, oldWires.current)),
    [spec, description, layers, edge, moved.size, shape, drawn, direction, model],
  );

  const fit = useCallback(
    (whole: boolean) => void flow.setViewport(viewOf(shape.places, shape.sizes, size, direction, whole)),
    [flow, shape, size, direction],
  );
  const reveal = useCallback(
    (id: string) => {
      const place = shape.places.get(id);
      const box = shape.sizes.get(id);
      if (!place || !box) return;
      const { x, y, zoom } = flow.getViewport();
      const [left, top] = [place[0] * zoom + x, place[1] * zoom + y];
      const inside = left >= 8 && top >= 8 && left + box.width * zoom <= size.width - 8 && top + box.height * zoom <= size.height - 8;
      if (!inside) void flow.setCenter(place[0] + box.width / 2, place[1] + box.height / 2, { zoom: Math.max(zoom, 0.6), duration: 200 });
    },
    [flow, shape, size],
  );
  useImperativeHandle(
    handle,
    () => ({
      reveal,
      fit: () => fit(true),
      zoom: (factor) => {
        touched.current = true;
        void flow.zoomTo(flow.getZoom() * factor, { duration: 120 });
      },
      picture: () => (element.current ? svgOf(nodes, edges, inkOf(element.current), model.state.whole.title || "Network") : ""),
      focus: () => element.current?.focus({ preventScroll: true }),
      at: (x, y) => {
        const point = flow.screenToFlowPosition({ x, y });
        return [point.x, point.y];
      },
      places: () => shape.places,
    }),
    [reveal, fit, flow, shape, nodes, edges, model],
  );

  // A new network, another arrangement or another size of canvas is shown whole, unless the
  // visitor has chosen what to look at.
  const known = description !== undefined;
  const fitted = useRef(-1);
  useEffect(() => {
    if (size.width === 0 || (touched.current && fitted.current === shown)) return;
    if (fitted.current !== shown) touched.current = false;
    fitted.current = shown;
    fit(false);
    // Not after every edit: the ground must not move under the visitor's hand.
  }, [shown, size.width, size.height, direction, known]);

  const chosen = selection.size === 1 ? [...selection][0] : undefined;
  const count = useRef(spec.nodes.length);
  useEffect(() => {
    if (spec.nodes.length > count.current && chosen) reveal(chosen);
    count.current = spec.nodes.length;
  }, [spec, chosen, reveal]);

  const onNodesChange = useCallback(
    (changes: NodeChange<CardNode>[]) => {
      const places = new Map<string, Point>();
      const picked = new Set(model.state.selection);
      for (const change of changes) {
        if (change.type === "position" && change.dragging && change.position) places.set(change.id, [change.position.x, change.position.y]);
        if (change.type === "select") change.selected ? picked.add(change.id) : picked.delete(change.id);
      }
      if (places.size) setMoved((old) => new Map([...old, ...places]));
      const before = model.state.selection;
      if (picked.size !== before.size || [...picked].some((id) => !before.has(id))) model.select(picked);
    },
    [model],
  );
  const onNodeDragStop = useCallback(() => {
    setMoved((old) => {
      if (old.size) queueMicrotask(() => model.move(new Map([...shape.places, ...old])));
      return new Map();
    });
  }, [model, shape]);
  const portOf = (connection: Connection): number | undefined => {
    const node = nodeOf(model.state.spec, connection.target);
    const most = node ? model.arity(node.type, node.params)[1] : null;
    return most !== null && most > 1 ? Number(connection.targetHandle) : undefined;
  };
  const endOf = ({ source, sourceHandle }: Connection): string => source + (sourceHandle ?? "").slice("out".length);

  useContextMenu(element, model, desk);

  return (
    <div
      ref={element}
      className={`canvas ${framing ? "framing" : ""}`}
      data-testid="builder"
      tabIndex={0}
      role="application"
      aria-label="Network. Arrow keys walk along the connections, Enter opens the parameters, slash adds a layer, C connects, E chooses a connection, G groups, Delete takes out, question mark lists all keys."
      aria-activedescendant={chosen ? `card-${chosen}` : undefined}
      onFocus={() => setActive(true)}
      onBlur={() => setActive(false)}
      onPointerDownCapture={(event) => {
        element.current?.classList.add("pointed");
        if (!typing(event.nativeEvent) && !(event.target as Element).closest("button")) element.current?.focus({ preventScroll: true });
      }}
      onKeyDown={(event) => {
        element.current?.classList.remove("pointed");
        const onButton = (event.target as Element).closest("button") !== null && (event.key === "Enter" || event.key === " ");
        if (onButton || typing(event.nativeEvent)) return;
        if (press(event.nativeEvent, model, desk, direction)) {
          event.preventDefault();
          event.stopPropagation();
        }
      }}
    >
      <ReactFlow<CardNode, WireEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        onNodesChange={onNodesChange}
        // A frame drawn around layers would choose the wires among them too; here a wire is chosen alone.
        onEdgeClick={(_, wire) => model.selectEdge(wire.data?.index)}
        onPaneClick={() => model.select([])}
        onNodeDragStop={onNodeDragStop}
        onSelectionDragStop={onNodeDragStop}
        onConnect={(connection) => model.connect(endOf(connection), connection.target, portOf(connection))}
        onReconnect={(old, connection) => old.data && model.reconnect(old.data.index, endOf(connection), connection.target, portOf(connection))}
        onNodeDoubleClick={(_, card) => model.openChosen(card.id) || desk.edit()}
        onMoveStart={(event) => {
          if (event) touched.current = true;
          element.current?.classList.add("moving");
        }}
        onMoveEnd={() => element.current?.classList.remove("moving")}
        onlyRenderVisibleElements
        nodesFocusable={false}
        edgesFocusable={false}
        disableKeyboardA11y
        nodesDraggable={!readonly}
        nodesConnectable={!readonly}
        edgesReconnectable={!readonly}
        deleteKeyCode={null}
        multiSelectionKeyCode={["Shift", "Meta", "Control"]}
        selectionMode={SelectionMode.Partial}
        selectionOnDrag={framing}
        panOnDrag={framing ? [1] : true}
        selectNodesOnDrag={false}
        nodeDragThreshold={3}
        connectionRadius={36}
        reconnectRadius={10}
        zoomOnScroll={active}
        preventScrolling={active}
        zoomOnDoubleClick={false}
        minZoom={SMALLEST}
        maxZoom={2}
        proOptions={NO_PROMOTION}
      >
        <Background gap={24} size={1} className="dots" />
        <Tags cards={nodes} wires={edges} />
        <Distance of={element} />
        {!narrow && nodes.length > 8 && (
          <MiniMap<CardNode> pannable zoomable nodeClassName={(node) => kindClass(node.data.category)} nodeBorderRadius={20} ariaLabel="The whole network, small" />
        )}
      </ReactFlow>
      {spec.nodes.length === 0 && <p className="nothing">Nothing here yet. Take a template, or add an Input from the layers.</p>}
      <span className="unseen">{chosen ? nodeLabel(nodeOf(spec, chosen) as never, description?.nodes[chosen]) : ""}</span>
    </div>
  );
}

/** Hides what cannot be read from far away, without drawing anything anew. */
function Distance({ of }: { of: { readonly current: HTMLElement | null } }): null {
  const far = useStore((state) => state.transform[2] < FAR);
  useEffect(() => {
    of.current?.classList.toggle("far", far);
  }, [far, of]);
  return null;
}

