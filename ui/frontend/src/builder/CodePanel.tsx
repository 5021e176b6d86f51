/** The network as PyTorch source: it follows every edit, and edits of it change the network. */
import { useEffect, useRef, useState, type JSX } from "react";
import { useModel, usePart } from "./context";
import { CopyButton } from "./JsonDialog";

/** Quiet time before typed code is read [ms]. */
const READ_AFTER = 500;

interface Problem {
  readonly text: string;
  readonly line?: number | null | undefined;
}

export function CodePanel(): JSX.Element {
  const model = useModel();
  const code = usePart((state) => state.code);
  const whole = usePart((state) => state.whole);
  const online = usePart((state) => state.online);
  const readonly = usePart((state) => state.readonly);
  // What the visitor has typed, until it is left and says what the canvas says.
  const [draft, setDraft] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const [reading, setReading] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const ours = useRef(whole);
  const area = useRef<HTMLTextAreaElement>(null);
  const text = draft ?? code ?? (online ? "…" : "The script comes when the server answers.");

  // An edit on the canvas wins over what was typed.
  useEffect(() => {
    if (ours.current === whole) return;
    ours.current = whole;
    clearTimeout(timer.current);
    setDraft(undefined);
    setProblem(undefined);
  }, [whole]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const take = async (source: string): Promise<void> => {
    setReading(true);
    const answer = await model.readCode(source);
    ours.current = model.state.whole;
    setReading(false);
    setProblem(answer.problem ? { text: answer.problem, line: answer.line } : undefined);
    if (answer.problem) model.say(answer.problem);
  };
  const type = (source: string): void => {
    setDraft(source);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void take(source), READ_AFTER);
  };
  const toLine = (line: number): void => {
    const element = area.current;
    if (!element) return;
    const before = text.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    element.focus();
    element.setSelectionRange(before, before + (text.split("\n")[line - 1]?.length ?? 0));
  };

  return (
    <section className="code" aria-label="The network as PyTorch source">
      <header>
        <span>PyTorch{readonly ? "" : draft === undefined ? " · edit it and the canvas follows" : reading ? " · reading…" : problem ? "" : " · the canvas shows this"}</span>
        <CopyButton text={text} id="copy-code" />
        <button type="button" className="close" aria-label="Close the code" onClick={() => model.toggleCode()}>×</button>
      </header>
      {problem && (
        <div className="bar error" role="alert" data-testid="code-problem">
          {problem.line ? <button type="button" className="go" onClick={() => toLine(problem.line as number)}>Line {problem.line}</button> : null}
          <span>{withoutLine(problem)}</span>
          <button type="button" className="go" data-testid="code-back" onClick={() => { setDraft(undefined); setProblem(undefined); }}>Take the canvas’s code back</button>
        </div>
      )}
      <div className="editor">
        <Gutter lines={text.split("\n").length} wrong={problem?.line} area={area} />
        <textarea
          ref={area}
          aria-label="PyTorch source of the network"
          data-testid="code"
          spellCheck={false}
          autoComplete="off"
          wrap="off"
          readOnly={readonly || code === undefined}
          value={text}
          onChange={(event) => type(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") event.stopPropagation();
          }}
          onBlur={() => {
            // What reads well is shown as our own script writes it.
            if (!problem && !reading && draft !== undefined) void take(draft).then(() => setDraft(undefined));
          }}
        />
      </div>
    </section>
  );
}

/** The sentence without the line that stands before it already. */
function withoutLine({ text, line }: Problem): string {
  return line ? text.replace(new RegExp(`^line ${line}:? ?`, "i"), "") : text;
}

function Gutter({ lines, wrong, area }: { lines: number; wrong?: number | null | undefined; area: { readonly current: HTMLTextAreaElement | null } }): JSX.Element {
  const gutter = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    const follow = (): void => {
      if (gutter.current) gutter.current.style.transform = `translateY(${-element.scrollTop}px)`;
    };
    element.addEventListener("scroll", follow);
    follow();
    return () => element.removeEventListener("scroll", follow);
  }, [area]);
  return (
    <div className="gutter" aria-hidden="true">
      <div ref={gutter}>
        {Array.from({ length: lines }, (_, at) => <span key={at} className={wrong === at + 1 ? "wrong" : ""}>{at + 1}</span>)}
      </div>
    </div>
  );
}
