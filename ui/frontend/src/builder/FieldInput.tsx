/** One parameter of a layer as a form control. */
import { useEffect, useId, useState, type JSX } from "react";
import type { Field } from "./api";
import { readNumber, readNumbers, written, type Entered } from "./entry";
import { formulaProblem, isFormula } from "./formula";
import { plain } from "./words";

interface Props {
  readonly field: Field;
  readonly value: unknown;
  readonly readonly: boolean;
  /** Gets the new value, or `undefined` for the default. */
  readonly onChange: (value: unknown) => void;
  /** The parameters of the block that is open: then a field may hold a formula of them. */
  readonly formulas?: Readonly<Record<string, unknown>> | undefined;
  /** Makes the field one of the block's own parameters. */
  readonly onLift?: ((value: unknown) => void) | undefined;
  /** Told apart by this, where a form has two fields of one name. */
  readonly name?: string;
}

export function FieldInput({ field, value, readonly, onChange, formulas, onLift, name = field.name }: Props): JSX.Element {
  const id = useId();
  const shown = value === undefined ? field.default : value;
  const give = (next: unknown): void => onChange(!field.required && same(next, field.default) ? undefined : next);
  const common = { id, disabled: readonly, "data-testid": `field-${name}`, "aria-describedby": field.help ? `${id}-help` : undefined };
  return (
    <div className={`field ${field.kind} ${onLift && !readonly ? "liftable" : ""}`}>
      <label htmlFor={id}>{plain(field.name)}</label>
      {formulas && (isFormula(value) || (field.kind !== "toggle" && field.kind !== "choice")) ? (
        <Entry field={field} shown={shown} common={common} give={give} formulas={formulas} />
      ) : field.kind === "toggle" ? (
        <input {...common} type="checkbox" role="switch" checked={shown === true} onChange={(event) => give(event.target.checked)} />
      ) : field.kind === "choice" ? (
        <select {...common} value={shown === null || shown === undefined ? "" : String(shown)} onChange={(event) => give(optionOf(field, event.target.value))}>
          {(field.optional || shown === null || shown === undefined) && <option value="">–</option>}
          {(field.options ?? []).map((option) => (
            <option key={String(option)} value={String(option)}>{String(option)}</option>
          ))}
        </select>
      ) : (
        <Entry field={field} shown={shown} common={common} give={give} />
      )}
      {onLift && !readonly && !isFormula(value) && (
        <button type="button" className="lift" aria-label={`Make ${plain(field.name)} a parameter of the block`} title="Make it a parameter of the block" onClick={() => onLift(shown)}>=</button>
      )}
      {field.help && <small id={`${id}-help`}>{field.help}</small>}
    </div>
  );
}

interface EntryProps {
  readonly field: Field;
  readonly shown: unknown;
  readonly common: Record<string, unknown>;
  readonly give: (value: unknown) => void;
  readonly formulas?: Readonly<Record<string, unknown>> | undefined;
}

/** A text that becomes a value as soon as it reads as one. */
function Entry({ field, shown, common, give, formulas }: EntryProps): JSX.Element {
  const [text, setText] = useState(written(shown));
  const [problem, setProblem] = useState("");
  // Undo and repairs change the value from outside; typing "1." must not be tidied to "1".
  useEffect(() => {
    setText((old) => (same(read(field, old, formulas).value, shown) ? old : written(shown)));
    setProblem("");
  }, [field, shown, formulas]);
  const whole = field.kind === "integer";
  const numeric = !formulas && (whole || field.kind === "number");
  const placeholder = field.optional ? "automatic" : field.kind === "integers" ? "3 or 3, 3" : "";
  return (
    <>
      <input
        {...common}
        type={numeric ? "number" : "text"}
        inputMode={!numeric ? "text" : whole ? "numeric" : "decimal"}
        min={numeric ? (field.low ?? undefined) : undefined}
        max={numeric ? (field.high ?? undefined) : undefined}
        step={whole ? 1 : "any"}
        list={field.kind === "integers" && field.options?.length ? `${String(common.id)}-options` : undefined}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={problem !== ""}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          const { value, problem: found } = read(field, event.target.value, formulas);
          setProblem(found ?? "");
          if (!found) give(value);
        }}
        onBlur={() => {
          if (!problem) return;
          setText(written(shown));
          setProblem("");
        }}
      />
      {field.kind === "integers" && field.options?.length ? (
        <datalist id={`${String(common.id)}-options`}>
          {field.options.map((option) => <option key={String(option)} value={String(option)} />)}
        </datalist>
      ) : null}
      {problem && <small className="wrong" role="alert">{problem}</small>}
    </>
  );
}

function read(field: Field, text: string, formulas?: Readonly<Record<string, unknown>>): Entered {
  if (formulas && isFormula(text.trim())) {
    const problem = formulaProblem(text.trim(), formulas);
    return problem === undefined ? { value: text.trim() } : { problem };
  }
  if (field.kind === "integers") return readNumbers(field, text);
  if (field.kind === "integer" || field.kind === "number") return readNumber(field, text);
  if (typeof field.default === "object" && field.default !== null) {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return { problem: "Write this as JSON." };
    }
  }
  if (text === "" && field.optional) return { value: null };
  // A field of which only the name is known: what reads as a number is one.
  return { value: field.default === undefined && text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text };
}

function optionOf(field: Field, text: string): unknown {
  return (field.options ?? []).find((option) => String(option) === text) ?? null;
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}
