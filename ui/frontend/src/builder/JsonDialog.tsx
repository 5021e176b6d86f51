/** The network's JSON to take away or to bring. */
import { useEffect, useRef, useState, type JSX } from "react";
import { useDesk, useModel, usePart } from "./context";

export function JsonDialog(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.whole);
  const readonly = usePart((state) => state.readonly);
  const [text, setText] = useState(() => JSON.stringify(spec, null, 1));
  const [problem, setProblem] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    area.current?.focus({ preventScroll: true });
    area.current?.select();
  }, []);
  return (
    <div
      className="dialog"
      role="dialog"
      aria-modal="true"
      aria-label="The network as JSON"
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") desk.close();
      }}
    >
      <p className="help">This is the network. Copy it, or put another in its place.</p>
      <textarea
        ref={area}
        data-testid="json"
        aria-label="JSON"
        spellCheck={false}
        value={text}
        readOnly={readonly}
        onChange={(event) => {
          setText(event.target.value);
          setProblem("");
        }}
      />
      {problem && <p className="wrong" role="alert">{problem}</p>}
      <div className="actions">
        <CopyButton text={text} id="copy-json" />
        <button type="button" onClick={() => desk.close()}>Close</button>
        {!readonly && (
          <button
            type="button"
            className="primary"
            data-testid="use-json"
            onClick={() => {
              if (model.load(text, "paste a network")) desk.close();
              else setProblem(model.state.notice);
            }}
          >
            Use this network
          </button>
        )}
      </div>
    </div>
  );
}

export function CopyButton({ text, id }: { text: string; id: string }): JSX.Element {
  const model = useModel();
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      data-testid={id}
      onClick={() => {
        navigator.clipboard
          .writeText(text)
          .then(() => {
            setDone(true);
            setTimeout(() => setDone(false), 1500);
            model.say("Copied");
          })
          .catch(() => model.note("The browser does not let pages copy here; select the text and press Ctrl+C."));
      }}
    >
      {done ? "Copied" : "Copy"}
    </button>
  );
}
