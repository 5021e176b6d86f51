/** What stands around the canvas: where one is, what is in the way of work, what was done. */
import { type JSX } from "react";
import { useDesk, useModel, usePart } from "./context";
import { blockName } from "./clip";
import { nodeOf } from "./spec";
import { opened } from "./inside";

/** The way from the whole network to the block that is open. */
export function Crumbs(): JSX.Element | null {
  const model = useModel();
  const whole = usePart((state) => state.whole);
  const inside = usePart((state) => state.inside);
  if (inside.length === 0) return null;
  const steps = inside.map((id, depth) => {
    const node = nodeOf(opened(whole, inside.slice(0, depth)), id);
    const repeat = node?.params?.repeat;
    return { id, depth, block: blockName(node) ?? "", copies: typeof repeat === "number" && repeat > 1 ? repeat : 0 };
  });
  return (
    <nav className="crumbs" aria-label="Where you are" data-testid="crumbs">
      <button type="button" data-testid="crumb-0" onClick={() => model.goInto([], inside[0])}>{whole.title || "Network"}</button>
      {steps.map(({ id, depth, block, copies }) => (
        <span key={depth}>
          <span aria-hidden="true">›</span>
          <button
            type="button"
            data-testid={`crumb-${depth + 1}`}
            aria-current={depth === inside.length - 1 ? "page" : undefined}
            onClick={() => model.goInto(inside.slice(0, depth + 1))}
          >
            {id} <small>{block}{copies ? `, first of ${copies} copies` : ""}</small>
          </button>
        </span>
      ))}
      <button type="button" className="close" data-testid="go-out" aria-label="Out of the block" title="Out of the block (Esc)" onClick={() => model.goOut()}>↑</button>
    </nav>
  );
}

/** What stands in the way of work, in a thin bar. */
export function Bars(): JSX.Element {
  const online = usePart((state) => state.online);
  const refused = usePart((state) => state.refused);
  const notice = usePart((state) => state.notice);
  const importing = usePart((state) => state.importing);
  return (
    <>
      {!online && <div className="bar warning" data-testid="offline">The server does not answer: shapes and checks wait, your edits are kept. Trying again…</div>}
      {online && refused && <div className="bar error" data-testid="refused">{refused}</div>}
      {importing && <div className="bar notice">Reading {importing}…</div>}
      {notice && <div className="bar notice" data-testid="notice">{notice}</div>}
    </>
  );
}

/** What one can do with the chosen layers where there is no keyboard and little room. */
export function Handy({ onParameters, inspectorOpen }: { onParameters: () => void; inspectorOpen: boolean }): JSX.Element | null {
  const model = useModel();
  const selection = usePart((state) => state.selection);
  const edge = usePart((state) => state.edge);
  const readonly = usePart((state) => state.readonly);
  const desk = useDesk();
  if (readonly || inspectorOpen || (selection.size === 0 && edge === undefined)) return null;
  const block = nodeOf(model.state.spec, model.chosen ?? "")?.type === "Block";
  return (
    <div className="handy" role="toolbar" aria-label="The chosen layer">
      {selection.size === 1 && <button type="button" data-testid="handy-parameters" onClick={onParameters}>Parameters</button>}
      {block && <button type="button" onClick={() => model.openChosen()}>Open</button>}
      {selection.size === 1 && <button type="button" onClick={() => desk.open({ kind: "append" })}>Add after</button>}
      {edge !== undefined && <button type="button" onClick={() => desk.open({ kind: "append" })}>Insert</button>}
      {selection.size === 1 && <button type="button" onClick={() => desk.open({ kind: "connect" })}>Connect</button>}
      {selection.size > 1 && <button type="button" onClick={() => model.groupSelection()}>Group</button>}
      {selection.size > 0 && <button type="button" onClick={() => model.duplicateSelection()}>Duplicate</button>}
      <button type="button" className="danger" onClick={() => model.removeSelection()}>Delete</button>
    </div>
  );
}

/** Tells a screen reader what was done and what is wrong. */
export function Said(): JSX.Element {
  const said = usePart((state) => state.said);
  return <div className="unseen" role="status" aria-live="polite" data-testid="said">{said}</div>;
}
