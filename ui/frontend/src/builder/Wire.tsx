/** A connection on the canvas. */
import { BaseEdge, type EdgeProps } from "@xyflow/react";
import { memo, type JSX } from "react";
import { HANDLE, type WireEdge } from "./flow";
import { line } from "./lines";

export const Wire = memo(function Wire({ sourceX, sourceY, targetX, targetY, data, selected }: EdgeProps<WireEdge>): JSX.Element | null {
  if (!data) return null;
  const { index, level, route, direction } = data;
  // React Flow joins wires to the outer rim of a handle; ours is far larger than its dot.
  const [dx, dy] = direction === "right" ? [HANDLE / 2, 0] : [0, HANDLE / 2];
  const { path } = line([sourceX - dx, sourceY - dy], [targetX + dx, targetY + dy], direction, route);
  return <BaseEdge path={path} className={`wire ${level === "error" ? "error" : ""} ${selected ? "chosen" : ""}`} interactionWidth={24} data-edge={index} />;
});
