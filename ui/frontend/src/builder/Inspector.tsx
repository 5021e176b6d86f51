/** What is known of the chosen layer, and its parameters as a form. */
import { useEffect, useState, type JSX } from "react";
import type { Problem } from "./api";
import { useDesk, useModel, usePart } from "./context";
import { FieldInput } from "./FieldInput";
import { fixesOnCard } from "./flow";
import { incoming, links, nameProblem, nodeOf, outgoing, type SpecNode } from "./spec";
import { BlockForm } from "./BlockForm";
import { Row, Whole } from "./Whole";
import { bytesWords, exact, fieldWords, lean, parameterWords, shapeWords, short, typeWords, valueWords, worst } from "./words";

export function Inspector(): JSX.Element {
  const spec = usePart((state) => state.spec);
  const selection = usePart((state) => state.selection);
  const [only, ...more] = selection;
  const node = only !== undefined && more.length === 0 ? nodeOf(spec, only) : undefined;
  const edge = usePart((state) => state.edge);
  if (edge !== undefined) return <Connection index={edge} />;
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
        <b>{typeWords(node)}</b>
        {layer && node.type !== "Block" && <> – {layer.help}</>}
        {layer?.source && <small>{layer.source}</small>}
      </p>
      <Problems problems={facts?.problems ?? []} node={node} />
      {node.type === "Block" ? <BlockForm node={node} /> : (
      <form onSubmit={(event) => event.preventDefault()} aria-label={`Parameters of ${node.id}`}>
        {layer?.fields.map((field) => (
          <FieldInput
            key={field.name}
            field={field}
            value={node.params?.[field.name]}
            readonly={readonly}
            formulas={model.values}
            onLift={model.values && ((value) => model.liftParam(node.id, field.name, value))}
            onChange={(value) => model.setParam(node.id, field.name, value)}
          />
        ))}
        {others.map(([name, value]) => (
          <div className="field" key={name}>
            <label>{name}</label>
            <output>{valueWords(value)}</output>
          </div>
        ))}
      </form>)}
      <dl className="numbers">
        {facts?.inputs?.some(Boolean) && <Row name="input" value={facts.inputs.map(shapeWords).join(" and ")} />}
        {facts && <Row name="output" value={(facts.outputs?.length ? facts.outputs : [facts.output]).map(shapeWords).join(" and ")} />}
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
          {facts && facts.parameters > 0 && node.type !== "Block" && <button type="button" data-testid="weights" onClick={() => desk.open({ kind: "weights", node: node.id })}>Weights…</button>}
          {facts && facts.parameters > 0 && <button type="button" data-testid="freeze" aria-pressed={node.frozen ?? false} onClick={() => model.toggleFrozen()}>Frozen</button>}
          <button type="button" data-testid="output" aria-pressed={spec.outputs.includes(node.id)} onClick={() => model.toggleOutput(node.id)}>Output</button>
          <button type="button" data-testid="delete" className="danger" onClick={() => model.removeSelection()}>Delete</button>
        </div>
      )}
    </div>
  );
}

function Connection({ index }: { index: number }): JSX.Element | null {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.spec);
  const description = usePart((state) => state.description);
  const readonly = usePart((state) => state.readonly);
  const link = links(spec).find((one) => one.index === index);
  if (!link) return null;
  const { source, target, end, port } = link;
  const output = Number(end.slice(source.length + 1) || 0);
  const facts = description?.nodes[source];
  return (
    <div className="inspector-body" data-testid="inspector">
      <h3>{end} → {target}</h3>
      <dl className="numbers">
        <Row name="carries" value={shapeWords(facts?.outputs?.[output] ?? facts?.output)} />
        <Row name="into" value={`input ${port + 1} of ${target}`} />
      </dl>
      {!readonly && (
        <>
          <div className="actions">
            <button type="button" onClick={() => desk.open({ kind: "append" })}>Insert a layer…</button>
            <button type="button" className="danger" data-testid="disconnect" onClick={() => model.removeSelection()}>Cut</button>
          </div>
          <p className="help">Drag one of its ends to another card’s dot to connect it elsewhere.</p>
        </>
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
  const desk = useDesk();
  const selection = usePart((state) => state.selection);
  const description = usePart((state) => state.description);
  const parameters = [...selection].reduce((sum, id) => sum + (description?.nodes[id]?.parameters ?? 0), 0);
  return (
    <div className="inspector-body" data-testid="inspector">
      <h3>{count} layers</h3>
      <p className="help">{parameterWords(parameters)}</p>
      <div className="actions">
        <button type="button" className="primary" data-testid="group" onClick={() => model.groupSelection()}>Group into a block</button>
        <button type="button" onClick={() => desk.copy()}>Copy</button>
        <button type="button" data-testid="duplicate" onClick={() => model.duplicateSelection()}>Duplicate</button>
        <button type="button" data-testid="delete" className="danger" onClick={() => model.removeSelection()}>Delete</button>
      </div>
    </div>
  );
}
