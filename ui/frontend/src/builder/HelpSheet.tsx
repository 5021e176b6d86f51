/** All keys of the canvas on one sheet, and what hands can do. */
import { useEffect, useRef, type JSX } from "react";
import { ACTIONS } from "./actions";
import { useDesk } from "./context";

const HANDS = [
  ["Press a card", "choose it; with Shift one more"],
  ["Shift and drag, or the frame tool", "choose all in a frame"],
  ["Drag from a right dot to a left dot", "connect"],
  ["Press a line, drag its end", "connect it elsewhere"],
  ["+ on a line, or drop a layer on it", "insert"],
  ["Double press", "parameters; opens a block"],
  ["Press long, or right button", "all that can be done there"],
  ["Drop a file on the canvas", "import it"],
] as const;

const WALKING = [
  ["← →", "along the connections"],
  ["↑ ↓", "to the branch beside"],
  ["Home End", "first and last layer"],
  ["Shift ←→↑↓", "choose more on the way"],
  ["Tab", "to the buttons and the form"],
] as const;

export function HelpSheet(): JSX.Element {
  const desk = useDesk();
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus({ preventScroll: true }), []);
  const parts = [...new Set(ACTIONS.map((action) => action.part))];
  return (
    <div
      className="dialog help-sheet"
      role="dialog"
      aria-modal="true"
      aria-label="What keys and hands do here"
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") desk.close();
      }}
    >
      <header>
        <h3>Keys and hands</h3>
        <button ref={close} type="button" className="close" aria-label="Close" onClick={() => desk.close()}>×</button>
      </header>
      <div className="columns">
        <Part title="Walking" rows={WALKING} />
        {parts.map((part) => (
          <Part
            key={part}
            title={part}
            rows={ACTIONS.filter((action) => action.part === part).map((action) => [action.id === "nudge" ? "Alt ←→↑↓" : action.keys.slice(0, 2).join(" or "), action.words.toLowerCase()] as const)}
          />
        ))}
        <Part title="Hands" rows={HANDS} />
      </div>
    </div>
  );
}

function Part({ title, rows }: { title: string; rows: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <section>
      <h4>{title}</h4>
      <dl>
        {rows.map(([key, words]) => (
          <div key={key + words}>
            <dt>{title === "Hands" ? key : <kbd>{key}</kbd>}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
