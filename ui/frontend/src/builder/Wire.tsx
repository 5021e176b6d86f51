/** A connection on the canvas, with the shape that flows through it and a way to put a layer in. */
import { BaseEdge, EdgeLabelRenderer, type EdgeProps } from "@xyflow/react";
import { memo, type JSX } from "react";
import { useDesk } from "./context";
import { HANDLE, type WireEdge } from "./flow";
import { line } from "./lines";
import { shapeWords } from "./words";

export const Wire = memo(function Wire({ sourceX, sourceY, targetX, targetY, data, selected }: EdgeProps<WireEdge>): JSX.Element | null {
  const desk = useDesk();
  if (!data) return null;
  const { index, name, shape, level, route, direction } = data;
  // React Flow joins wires to the outer rim of a handle; ours is far larger than its dot.
  const [dx, dy] = direction === "right" ? [HANDLE / 2, 0] : [0, HANDLE / 2];
  const course = line([sourceX - dx, sourceY - dy], [targetX + dx, targetY + dy], direction, route);
  const [x, y] = course.label;
  const state = level === "error" ? "error" : "";
  return (
    <>
      <BaseEdge path={course.path} className={`wire ${state} ${selected ? "chosen" : ""}`} interactionWidth={24} data-edge={index} />
      <EdgeLabelRenderer>
        <div
          className={`tag ${direction} ${state} ${selected ? "chosen" : ""}`}
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
      </EdgeLabelRenderer>
    </>
  );
});
