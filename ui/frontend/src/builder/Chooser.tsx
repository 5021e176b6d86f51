/** A list one searches by typing: of layers, nodes, templates. */
import { useEffect, useId, useMemo, useRef, useState, type JSX, type KeyboardEvent } from "react";

export interface Choice {
  readonly key: string;
  readonly title: string;
  readonly group?: string;
  readonly note?: string;
  /** A sentence more, where there is room. */
  readonly more?: string;
}

interface Props {
  readonly label: string;
  readonly choices: readonly Choice[];
  readonly onChoose: (key: string, event: { shiftKey: boolean }) => void;
  readonly onClose: () => void;
  readonly empty?: string;
  /** Many choices side by side, with their groups as filters. */
  readonly grid?: boolean;
}

export function Chooser({ label, choices, onChoose, onClose, empty = "Nothing of that name.", grid = false }: Props): JSX.Element {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const [group, setGroup] = useState("");
  const groups = useMemo(() => (grid ? [...new Set(choices.map((choice) => choice.group ?? ""))] : []), [choices, grid]);
  const found = useMemo(() => search(choices.filter((choice) => !group || choice.group === group), query), [choices, query, group]);

  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, found]);

  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    // A filter button is pressed with Enter itself.
    if (event.key === "Enter" && event.target !== input.current) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step !== undefined) setAt((old) => Math.min(found.length - 1, Math.max(0, old + step)));
    else if (event.key === "Enter") {
      const choice = found[at];
      if (choice) onChoose(choice.key, event);
    } else if (event.key === "Escape") onClose();
    else return;
    event.preventDefault();
  };

  return (
    <div className={`chooser ${grid ? "grid" : ""}`} onKeyDown={onKeyDown}>
      <input
        ref={input}
        type="search"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found[at] ? `${id}-${at}` : undefined}
        aria-label={label}
        placeholder={label}
        value={query}
        data-testid="chooser-search"
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
      />
      {groups.length > 1 && (
        <div className="filters" role="group" aria-label="Families">
          {["", ...groups].map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={group === name}
              data-testid={`filter-${name || "all"}`}
              onClick={() => {
                setGroup(name);
                setAt(0);
                input.current?.focus({ preventScroll: true });
              }}
            >
              {name || "All"}
            </button>
          ))}
        </div>
      )}
      <ul ref={list} role="listbox" id={`${id}-list`} aria-label={label}>
        {found.map((choice, number) => (
          <li
            key={choice.key}
            id={`${id}-${number}`}
            role="option"
            aria-selected={number === at}
            data-testid={`choice-${choice.key}`}
            title={choice.more ?? choice.note}
            onPointerMove={() => number !== at && setAt(number)}
            onClick={(event) => onChoose(choice.key, event)}
          >
            {choice.group && choice.group !== found[number - 1]?.group && <span className="group">{choice.group}</span>}
            <span className="title">{choice.title}</span>
            {choice.note && <span className="note">{choice.note}</span>}
            {choice.more && <span className="more">{choice.more}</span>}
          </li>
        ))}
        {found.length === 0 && <li className="none">{empty}</li>}
      </ul>
    </div>
  );
}

/** Choices that hold the words of a query; those whose title begins with it come first. */
export function search<Item extends Choice>(choices: readonly Item[], query: string): Item[] {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...choices];
  const scored = choices.flatMap((choice) => {
    const title = choice.title.toLowerCase();
    const all = `${title} ${choice.group ?? ""} ${choice.note ?? ""} ${choice.more ?? ""}`.toLowerCase();
    if (!words.every((word) => all.includes(word))) return [];
    const first = words[0] as string;
    const score = title === first ? 0 : title.startsWith(first) ? 1 : title.includes(first) ? 2 : 3;
    return [{ choice, score }];
  });
  return scored.sort((one, other) => one.score - other.score).map(({ choice }) => choice);
}
