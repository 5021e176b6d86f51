/** A block's use as a form: copies, values of its own parameters; and what the block itself is. */
import { useEffect, useState, type JSX } from "react";
import type { Field } from "./api";
import { uses, useValue } from "./blocks";
import { blockName } from "./clip";
import { useModel, usePart } from "./context";
import { FieldInput } from "./FieldInput";
import { isRecord, type SpecNode } from "./spec";

const REPEAT: Field = { name: "repeat", kind: "integer", default: null, low: 1, high: 200, optional: true, help: "How many copies follow each other" };

export function BlockForm({ node }: { node: SpecNode }): JSX.Element {
  const model = useModel();
  const whole = usePart((state) => state.whole);
  const readonly = usePart((state) => state.readonly);
  const name = blockName(node) ?? "";
  const block = whole.blocks?.[name];
  const values = block?.values ?? {};
  const repeated = node.params?.repeat !== undefined && node.params.repeat !== null;
  const set = (which: "values" | "first") => (isRecord(node.params?.[which]) ? (node.params[which] as Record<string, unknown>) : {});
  const fields = (which: "values" | "first", usual: Readonly<Record<string, unknown>>): JSX.Element[] =>
    Object.keys(values).map((key) => (
      <FieldInput
        key={`${which}-${key}`}
        name={`${which}-${key}`}
        field={fieldOf(key, usual[key])}
        value={set(which)[key]}
        readonly={readonly}
        formulas={model.values}
        onChange={(value) => model.setParam(node.id, which, useValue(node.params, which, key, value)[which])}
      />
    ));
  return (
    <>
      <form onSubmit={(event) => event.preventDefault()} aria-label={`Parameters of ${node.id}`}>
        <FieldInput field={REPEAT} value={node.params?.repeat} readonly={readonly} formulas={model.values} onChange={(value) => model.setParam(node.id, "repeat", value ?? undefined)} />
        {fields("values", values)}
        {repeated && Object.keys(values).length > 0 && (
          <details>
            <summary>Other values in the first copy</summary>
            {fields("first", { ...values, ...set("values") })}
          </details>
        )}
      </form>
      {block && (
        <p className="help">
          Block <b>{name}</b>: {block.nodes.filter((one) => one.type !== "Input").length} layers, used {uses(whole, name) === 1 ? "once" : `${uses(whole, name)} times`}. What is changed inside changes everywhere.
        </p>
      )}
      <div className="actions">
        <button type="button" className="primary" data-testid="open-block" onClick={() => model.openChosen(node.id)}>Open</button>
        {!readonly && <button type="button" data-testid="unpack" onClick={() => model.unpackChosen()}>Unpack</button>}
      </div>
    </>
  );
}

/** The open block itself: its name, and its own parameters with their defaults. */
export function OpenBlock({ name }: { name: string }): JSX.Element {
  const model = useModel();
  const whole = usePart((state) => state.whole);
  const readonly = usePart((state) => state.readonly);
  const values = whole.blocks?.[name]?.values ?? {};
  const [fresh, setFresh] = useState("");
  const add = (): void => {
    if (model.setBlockDefault(name, fresh.trim(), 1)) setFresh("");
  };
  return (
    <div className="open-block" data-testid="open-block-form">
      <BlockName name={name} />
      <p className="help">
        Its own parameters, with their defaults. A layer’s field takes one as <code>=width</code>, or a sum such as <code>=4 * width</code>; the <b>=</b> beside a field makes it one.
      </p>
      {Object.entries(values).map(([key, value]) => (
        <div className="own-value" key={key}>
          <FieldInput field={fieldOf(key, undefined)} value={value} readonly={readonly} onChange={(next) => model.setBlockDefault(name, key, next)} />
          {!readonly && <button type="button" className="close" aria-label={`Remove the parameter ${key}`} title="Remove it" onClick={() => model.removeBlockValue(name, key)}>×</button>}
        </div>
      ))}
      {!readonly && (
        <form
          className="add-value"
          onSubmit={(event) => {
            event.preventDefault();
            add();
          }}
        >
          <input aria-label="Name of a new parameter" placeholder="New parameter" data-testid="new-value" value={fresh} spellCheck={false} autoComplete="off" onChange={(event) => setFresh(event.target.value)} />
          <button type="submit" disabled={!fresh.trim()}>Add</button>
        </form>
      )}
    </div>
  );
}

function BlockName({ name }: { name: string }): JSX.Element {
  const model = useModel();
  const readonly = usePart((state) => state.readonly);
  const [text, setText] = useState(name);
  useEffect(() => setText(name), [name]);
  const finish = (): void => {
    if (text !== name && !model.renameBlock(name, text)) setText(name);
  };
  return (
    <div className="rename">
      <input
        aria-label="Name of the block"
        data-testid="rename-block"
        value={text}
        disabled={readonly}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onBlur={finish}
        onKeyDown={(event) => {
          if (event.key === "Enter") finish();
          if (event.key === "Escape") setText(name);
        }}
      />
    </div>
  );
}

/** How a value of a block is entered: as what its default is. */
function fieldOf(name: string, usual: unknown): Field {
  const kind = typeof usual === "boolean" ? "toggle" : typeof usual === "number" ? "number" : Array.isArray(usual) ? "integers" : "text";
  return usual === undefined ? { name, kind: "text", required: true } : { name, kind, default: usual };
}
