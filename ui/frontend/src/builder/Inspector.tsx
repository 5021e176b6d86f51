/** What is known of the chosen layer, and its parameters as a form. */
import { useEffect, useState, type JSX } from "react";
import type { Problem } from "./api";
import { useDesk, useModel, usePart } from "./context";
import { FieldInput } from "./FieldInput";
import { fixesOnCard } from "./flow";
import { incoming, nameProblem, nodeOf, outgoing, type SpecNode } from "./spec";
import { bytesWords, exact, fieldWords, lean, parameterWords, problemsOf, shapeWords, short, valueWords, worst } from "./words";

export function Inspector(): JSX.Element {
  const spec = usePart((state) => state.spec);
  const selection = usePart((state) => state.selection);
  const [only, ...more] = selection;
  const node = only !== undefined && more.length === 0 ? nodeOf(spec, only) : undefined;
  if (node) return <One key={node.id} node={node} />;
  return more.length ? <Several count={selection.size} /> : <Whole />;
}

function One({ node }: { node: SpecNode }): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.spec);
  const layer = usePart((state) => state.layers.find((one) => one.type === node.type));
  const facts = usePart((state) => state.description?.nodes[node.id]);
  const readonly = usePart((state) => state.readonly);
  const known = new Set(layer?.fields.map((field) => field.name));
  const others = Object.entries(node.params ?? {}).filter(([name]) => !known.has(name));
  return (
    <div className="inspector-body" data-testid="inspector">
      <Name id={node.id} />
      <p className="help">
        <b>{node.type}</b>
        {layer && <> – {layer.help}</>}
        {layer?.source && <small>{layer.source}</small>}
      </p>
      <Problems problems={facts?.problems ?? []} node={node} />
      <form onSubmit={(event) => event.preventDefault()} aria-label={`Parameters of ${node.id}`}>
        {layer?.fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={node.params?.[field.name]}
            readonly={readonly}
            onChange={(value) => model.setParam(node.id, field.name, value)}
          />
        ))}
        {others.map(([name, value]) => (
          <div className="field" key={name}>
            <label>{name}</label>
            <output>{valueWords(value)}</output>
          </div>
        ))}
      </form>
      <dl className="numbers">
        {facts?.inputs?.some(Boolean) && <Row name="input" value={facts.inputs.map(shapeWords).join(" and ")} />}
        {facts && <Row name="output" value={shapeWords(facts.output)} />}
        {facts && <Row name="parameters" value={exact(facts.parameters)} />}
        {facts && <Row name="FLOPs" value={short(facts.flops)} />}
        {facts && <Row name="memory" value={bytesWords(facts.memory)} />}
        {facts && fieldWords(facts.receptive_field) && <Row name="receptive field" value={fieldWords(facts.receptive_field)} />}
        <Row name="from" value={incoming(spec, node.id).map((link) => link.end).join(", ") || "–"} />
        <Row name="to" value={outgoing(spec, node.id).map((link) => link.target).join(", ") || "–"} />
      </dl>
      {facts?.code && <pre className="line">{facts.code}</pre>}
      {!readonly && (
        <div className="actions">
          <button type="button" data-testid="connect" onClick={() => desk.open({ kind: "connect" })}>Connect to…</button>
          <button type="button" data-testid="append" onClick={() => desk.open({ kind: "append" })}>Add after…</button>
          <button type="button" data-testid="duplicate" onClick={() => model.duplicateSelection()}>Duplicate</button>
          <button type="button" data-testid="output" aria-pressed={spec.outputs.includes(node.id)} onClick={() => model.toggleOutput(node.id)}>Output</button>
          <button type="button" data-testid="delete" className="danger" onClick={() => model.removeSelection()}>Delete</button>
        </div>
      )}
    </div>
  );
}

function Name({ id }: { id: string }): JSX.Element {
  const model = useModel();
  const spec = usePart((state) => state.spec);
  const readonly = usePart((state) => state.readonly);
  const [text, setText] = useState(id);
  useEffect(() => setText(id), [id]);
  const problem = text === id ? undefined : nameProblem(spec, text, id);
  const finish = (): void => {
    if (text !== id && !problem) model.rename(id, text);
    else setText(id);
  };
  return (
    <div className="rename">
      <input
        aria-label="Name of the layer"
        data-testid="rename"
        value={text}
        disabled={readonly}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={problem !== undefined}
        onChange={(event) => setText(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === "Enter") finish();
          if (event.key === "Escape") setText(id);
        }}
      />
      {problem && <small className="wrong" role="alert">{problem}</small>}
    </div>
  );
}

function Problems({ problems, node }: { problems: readonly Problem[]; node: SpecNode }): JSX.Element | null {
  const model = useModel();
  const { id } = node;
  if (problems.length === 0) return null;
  const shown = worst(problems);
  const onCard = shown ? fixesOnCard(shown).length : 0;
  let number = onCard;
  return (
    <ul className="problems" aria-label="Problems">
      {[...problems].sort((one, other) => Number(other === shown) - Number(one === shown)).map((problem) => (
        <li key={problem.text} className={problem.level}>
          <p data-testid={`inspector-problem-${id}`}>{lean(problem.text, node)}</p>
          {(problem.fixes ?? []).map((fix, at) => {
            // The names of those on the card are taken: a name stands for one button.
            const testId = problem === shown && at < onCard ? `inspector-fix-${id}-${at}` : `fix-${id}-${number++}`;
            return (
              <button key={fix.text} type="button" className="fix" data-testid={testId} onClick={() => model.applyFix(fix)}>
                {fix.text}
              </button>
            );
          })}
        </li>
      ))}
    </ul>
  );
}

function Several({ count }: { count: number }): JSX.Element {
  const model = useModel();
  const selection = usePart((state) => state.selection);
  const description = usePart((state) => state.description);
  const parameters = [...selection].reduce((sum, id) => sum + (description?.nodes[id]?.parameters ?? 0), 0);
  return (
    <div className="inspector-body" data-testid="inspector">
      <h3>{count} layers</h3>
      <p className="help">{parameterWords(parameters)}</p>
      <div className="actions">
        <button type="button" onClick={() => model.copySelection()}>Copy</button>
        <button type="button" data-testid="duplicate" onClick={() => model.duplicateSelection()}>Duplicate</button>
        <button type="button" data-testid="delete" className="danger" onClick={() => model.removeSelection()}>Delete</button>
      </div>
    </div>
  );
}

function Whole(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.spec);
  const description = usePart((state) => state.description);
  const readonly = usePart((state) => state.readonly);
  const problems = problemsOf(description);
  const { totals } = description ?? {};
  return (
    <div className="inspector-body" data-testid="inspector">
      <h3>The network</h3>
      {totals && (
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
      <dl className="keys">
        {KEYS.map(([key, words]) => (
          <div key={key}><dt><kbd>{key}</kbd></dt><dd>{words}</dd></div>
        ))}
      </dl>
    </div>
  );
}

const KEYS = [
  ["← →", "walk along the lines"],
  ["↑ ↓", "to the branch beside"],
  ["Enter", "parameters"],
  ["/", "add a layer after this one"],
  ["C", "connect to…"],
  ["F", "find a layer"],
  ["Delete", "take it out"],
  ["Ctrl Z", "undo"],
] as const;

function Row({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
