/**
 * What stands on the wires: the shape that flows, and the button that puts a layer in.
 *
 * React Flow has a part for labels of edges, but each of them searches the page at every move of
 * the canvas: with hundreds of wires that takes longer than drawing them.
 */
import { ViewportPortal } from "@xyflow/react";
import { memo, type JSX } from "react";
import { useDesk } from "./context";
import { dotOf, type CardNode, type WireData, type WireEdge } from "./flow";
import { line } from "./lines";
import { shapeWords } from "./words";

export const Tags = memo(function Tags({ cards, wires }: { cards: readonly CardNode[]; wires: readonly WireEdge[] }): JSX.Element {
  const places = new Map(cards.map((card) => [card.id, card]));
  return (
    <ViewportPortal>
      {wires.map((wire) => {
        const [from, to] = [dotOf(places.get(wire.source), wire.sourceHandle), dotOf(places.get(wire.target), wire.targetHandle)];
        if (!from || !to || !wire.data) return null;
        const [x, y] = line(from, to, wire.data.direction, wire.data.route).label;
        return <Tag key={wire.id} data={wire.data} chosen={wire.selected ?? false} x={Math.round(x)} y={Math.round(y)} />;
      })}
    </ViewportPortal>
  );
});

const Tag = memo(function Tag({ data, chosen, x, y }: { data: WireData; chosen: boolean; x: number; y: number }): JSX.Element {
  const desk = useDesk();
  const { index, name, shape, level, direction } = data;
  return (
    <div
      className={`tag ${direction} ${level === "error" ? "error" : ""} ${chosen ? "chosen" : ""}`}
      style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
      data-edge={index}
    >
      <span className="shape" data-testid={`shape-${name}`}>{shape === undefined ? "" : shapeWords(shape)}</span>
      <button
        type="button"
        className="plus nodrag nopan"
        data-testid={`insert-${name}`}
        tabIndex={-1}
        aria-label={`Insert a layer between ${data.source} and ${data.target}`}
        title="Insert a layer here"
        onClick={(event) => {
          event.stopPropagation();
          desk.open({ kind: "insert", edge: index, near: [event.clientX, event.clientY] });
        }}
      >
        +
      </button>
    </div>
  );
});
