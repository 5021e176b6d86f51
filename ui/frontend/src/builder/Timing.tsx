/** How long one batch takes on the server, measured when asked. */
import { useState, type JSX } from "react";
import type { Timed } from "./api";
import { useModel, usePart } from "./context";
import { secondsWords } from "./words";

const BATCHES = [1, 8, 32, 128];

export function Timing(): JSX.Element {
  const model = useModel();
  const whole = usePart((state) => state.whole);
  const [batch, setBatch] = useState(32);
  const [busy, setBusy] = useState(false);
  const [found, setFound] = useState<{ of: unknown; timed?: Timed; problem?: string }>();
  const measure = async (): Promise<void> => {
    setBusy(true);
    const answer = await model.timing(batch);
    setFound({ of: whole, ...answer });
    setBusy(false);
    model.say(answer.problem ?? `Forward ${secondsWords(answer.timed?.forward ?? 0)}, backward ${secondsWords(answer.timed?.backward ?? 0)}`);
  };
  // What was measured of another network is of no use.
  const shown = found?.of === whole ? found : undefined;
  return (
    <div className="timing" data-testid="timing">
      <div className="row">
        <button type="button" data-testid="measure" disabled={busy} onClick={() => void measure()}>{busy ? "Measuring…" : "Measure one batch"}</button>
        <label>
          of <select aria-label="Examples in the batch" value={batch} onChange={(event) => setBatch(Number(event.target.value))}>
            {BATCHES.map((size) => <option key={size}>{size}</option>)}
          </select>
        </label>
      </div>
      {shown?.timed && (
        <dl className="numbers">
          <div><dt>forward</dt><dd data-testid="forward">{secondsWords(shown.timed.forward)}</dd></div>
          <div><dt>backward</dt><dd>{shown.timed.backward ? secondsWords(shown.timed.backward) : "nothing to learn"}</dd></div>
          <div><dt>examples a second</dt><dd>{Math.round(shown.timed.batch / (shown.timed.forward + shown.timed.backward)).toLocaleString("en").replaceAll(",", "\u2009")}</dd></div>
        </dl>
      )}
      {shown?.problem && <p className="wrong" role="alert">{shown.problem}</p>}
    </div>
  );
}
