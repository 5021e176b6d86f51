/** A layer on the canvas. */
import { Handle, Position, type NodeProps } from "@xyflow/react";
import { memo, type JSX } from "react";
import type { Problem } from "./api";
import { useModel } from "./context";
import { fixesOnCard, kindClass, outHandle, portShare, type CardNode } from "./flow";
import type { SpecNode } from "./spec";
import { exact, lean, nodeLabel, parameterWords, shapeWords, typeWords, worst } from "./words";

export const Card = memo(function Card({ data, selected }: NodeProps<CardNode>): JSX.Element {
  const { node, facts, params, category, direction, ports, outs, output } = data;
  const block = node.type === "Block";
  const problem = worst(facts?.problems ?? []);
  const across = direction === "right";
  return (
    <div
      className={`card ${kindClass(category)} ${problem?.level ?? ""} ${selected ? "chosen" : ""} ${block ? "block" : ""}`}
      data-testid={`node-${node.id}`}
      id={`card-${node.id}`}
      role="group"
      aria-label={nodeLabel(node, facts)}
    >
      {Array.from({ length: ports }, (_, port) => (
        <Handle
          key={port}
          id={String(port)}
          type="target"
          position={across ? Position.Left : Position.Top}
          style={{ [across ? "top" : "left"]: `${100 * portShare(port, ports)}%` }}
        />
      ))}
      <div className="head">
        <span className="name" title={node.label ? `${node.id}: ${node.label}` : node.id}>{node.id}</span>
        <span className="type" title={node.type}>{typeWords(node)}</span>
      </div>
      <div className="params" title={params}>{params || "\u00a0"}</div>
      <div className="facts">
        <span className="shape">{facts?.output ? shapeWords(facts.output) : facts ? "no output" : "…"}</span>
        {node.frozen && <span className="out" title="Its weights stay as they are in training">frozen</span>}
        {node.cut?.length ? <span className="out" title="Some of its connections are cut">cut</span> : null}
        {output && <span className="out" title="An output of the network">output</span>}
        {facts && facts.parameters > 0 && (
          <span className="count" title={parameterWords(facts.parameters)}>{exact(facts.parameters)}</span>
        )}
      </div>
      {problem && <Trouble node={node} problem={problem} />}
      {Array.from({ length: outs }, (_, out) => (
        <Handle
          key={out}
          id={outHandle(out)}
          type="source"
          position={across ? Position.Right : Position.Bottom}
          title={outs > 1 ? `Output ${out + 1}: ${shapeWords(facts?.outputs?.[out])}` : undefined}
          style={{ [across ? "top" : "left"]: `${100 * portShare(out, outs)}%` }}
        />
      ))}
    </div>
  );
}, (before, after) => before.data === after.data && before.selected === after.selected);

function Trouble({ node, problem }: { node: SpecNode; problem: Problem }): JSX.Element {
  const model = useModel();
  return (
    <>
      <div className={`trouble ${problem.level}`} data-testid={`problem-${node.id}`} title={problem.text}>
        <span aria-hidden="true">{problem.level === "error" ? "▲" : "△"}</span>
        <span className="words">{lean(problem.text, node)}</span>
      </div>
      {fixesOnCard(problem).map((fix, number) => (
        <button
          key={fix.text}
          type="button"
          className="fix nodrag nopan"
          data-testid={`fix-${node.id}-${number}`}
          title={fix.text}
          onClick={(event) => {
            event.stopPropagation();
            model.applyFix(fix);
          }}
        >
          {fix.text}
        </button>
      ))}
    </>
  );
}
