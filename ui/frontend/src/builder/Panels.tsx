/** The code of the network, and its JSON to take away or to bring. */
import { useEffect, useRef, useState, type JSX } from "react";
import { useDesk, useModel, usePart } from "./context";

export function CodePanel(): JSX.Element {
  const model = useModel();
  const code = usePart((state) => state.code);
  const online = usePart((state) => state.online);
  return (
    <section className="code" aria-label="The network as a PyTorch script">
      <header>
        <span>PyTorch</span>
        <CopyButton text={code ?? ""} id="copy-code" />
        <button type="button" className="close" aria-label="Close the code" onClick={() => model.toggleCode()}>×</button>
      </header>
      <pre tabIndex={0} data-testid="code">{code ?? (online ? "…" : "The script comes when the server answers.")}</pre>
    </section>
  );
}

export function JsonDialog(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const spec = usePart((state) => state.spec);
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

function CopyButton({ text, id }: { text: string; id: string }): JSX.Element {
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
