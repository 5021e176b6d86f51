/** Networks that come in as files, and all ways to take this one away. */
import { useEffect, useRef, useState, type JSX } from "react";
import { write } from "./clipboard";
import { useDesk, useModel, usePart } from "./context";
import { linkTo, LONG } from "./link";
import { download, pngOf } from "./picture";

const KINDS = ".json,.onnx,.pt2,.py,.safetensors,.ipynb";

export function FileDialog(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const readonly = usePart((state) => state.readonly);
  const busy = usePart((state) => state.importing);
  const notes = usePart((state) => state.notes);
  const file = useRef<HTMLInputElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus({ preventScroll: true }), []);
  return (
    <div
      className="dialog files"
      role="dialog"
      aria-modal="true"
      aria-label="Files and links"
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") desk.close();
      }}
    >
      <header>
        <h3>Files and links</h3>
        <button type="button" className="close" aria-label="Close" onClick={() => desk.close()}>×</button>
      </header>
      {!readonly && (
        <section>
          <h4>Bring a network</h4>
          <p className="help">
            Choose a file or drop it on the canvas: our own JSON, ONNX, a <code>torch.export</code> program (.pt2), PyTorch source (.py) or weights
            (.safetensors). It is read, never run.
          </p>
          <input ref={file} type="file" accept={KINDS} hidden data-testid="import-file" onChange={(event) => void model.importFile(event.target.files?.[0])} />
          <div className="actions">
            <button ref={first} type="button" className="primary" data-testid="import" disabled={busy !== ""} onClick={() => file.current?.click()}>
              {busy ? `Reading ${busy}…` : "Choose a file"}
            </button>
            <button type="button" onClick={() => desk.open({ kind: "paste" })}>Paste JSON…</button>
          </div>
          {notes.length > 0 && <ul className="notes" data-testid="import-notes">{notes.map((note) => <li key={note}>{note}</li>)}</ul>}
        </section>
      )}
      <Away />
    </div>
  );
}

function Away(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const whole = usePart((state) => state.whole);
  const [link, setLink] = useState("");
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    let here = true;
    void linkTo(whole).then((made) => here && setLink(made));
    return () => void (here = false);
  }, [whole]);
  const name = (whole.title || "network").replace(/[^\w-]+/g, "-").toLowerCase();
  const copy = async (): Promise<void> => {
    if (await write(link)) {
      setCopied(true);
      model.say("The link is copied");
    } else model.note("The browser does not let pages copy here; mark the link and press Ctrl+C.");
  };
  const png = async (): Promise<void> => {
    try {
      download(`${name}.png`, await pngOf(desk.picture()));
    } catch {
      model.note("The browser could not draw so large a picture; take the SVG.");
    }
  };
  return (
    <section>
      <h4>Take it away</h4>
      <div className="row link">
        <input readOnly aria-label="A link that carries the whole network" data-testid="link" value={link} onFocus={(event) => event.target.select()} />
        <button type="button" className="primary" data-testid="copy-link" onClick={() => void copy()}>{copied ? "Copied" : "Copy link"}</button>
      </div>
      <p className="help">
        The link carries the whole network in {link.length.toLocaleString("en")} letters; nothing is stored anywhere.
        {link.length > LONG && " That is long for a chat: some programs cut it off; a file is safer."}
      </p>
      <div className="actions">
        <button type="button" data-testid="save-svg" onClick={() => download(`${name}.svg`, desk.picture(), "image/svg+xml")}>Picture (SVG)</button>
        <button type="button" data-testid="save-png" onClick={() => void png()}>Picture (PNG)</button>
        <button type="button" data-testid="save-json" onClick={() => download(`${name}.json`, JSON.stringify(whole, null, 1), "application/json")}>JSON file</button>
      </div>
      <p className="help">Scripts, notebooks, ONNX and weights are on the page <b>Export</b>.</p>
    </section>
  );
}
