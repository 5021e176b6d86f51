/** What is known of all the network, or of the block that is open: numbers and problems. */
import { type JSX } from "react";
import { OpenBlock } from "./BlockForm";
import { useDesk, useModel, usePart } from "./context";
import { openName } from "./inside";
import { Timing } from "./Timing";
import { bytesWords, exact, fieldWords, problemsOf, short } from "./words";

export function Whole(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.spec);
  const description = usePart((state) => state.description);
  const readonly = usePart((state) => state.readonly);
  const whole = usePart((state) => state.whole);
  const inside = usePart((state) => state.inside);
  const name = openName(whole, inside);
  const problems = problemsOf(description);
  const { totals } = description ?? {};
  return (
    <div className="inspector-body" data-testid="inspector">
      {name === undefined ? <h3>The network</h3> : <OpenBlock key={name} name={name} />}
      {totals && name === undefined && (
        <dl className="numbers">
          <Row name="layers" value={String(spec.nodes.length)} />
          <Row name="parameters" value={exact(totals.parameters)} />
          <Row name="FLOPs" value={short(totals.flops)} />
          <Row name="memory" value={bytesWords(totals.memory)} />
          {fieldWords(totals.receptive_field) && <Row name="receptive field" value={fieldWords(totals.receptive_field)} />}
        </dl>
      )}
      {problems.length > 0 && (
        <ul className="problems" aria-label="Problems">
          {problems.map((problem, number) => (
            <li key={number} className={problem.level}>
              {problem.node ? (
                <button
                  type="button"
                  className="go"
                  onClick={() => {
                    model.select([problem.node as string]);
                    desk.reveal(problem.node as string);
                  }}
                >
                  {problem.node}
                </button>
              ) : null}
              <p>{problem.text}</p>
              {!problem.node &&
                (problem.fixes ?? []).map((fix) => (
                  <button key={fix.text} type="button" className="fix" onClick={() => model.applyFix(fix)}>{fix.text}</button>
                ))}
            </li>
          ))}
        </ul>
      )}
      <p className="help" hidden={readonly}>
        Choose a layer to see and change it; press <b>+</b> on a line to put one in. Drag from a card’s right dot to another’s left
        dot to connect.
      </p>
      {name === undefined && <Timing />}
      <p className="help"><button type="button" className="go" data-testid="help" onClick={() => desk.open({ kind: "help" })}>All keys and gestures</button> <kbd>?</kbd></p>
    </div>
  );
}

export function Row({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
