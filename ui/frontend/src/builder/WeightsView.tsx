/** The numbers of a layer as a heat map: look, change one, cut a connection, freeze them all. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type JSX, type KeyboardEvent } from "react";
import { colourAt, css } from "../shared/palette";
import { readTheme } from "../shared/theme";
import type { Weights } from "./api";
import { useDesk, useModel, usePart } from "./context";
import { nodeOf } from "./spec";
import { useSize } from "./size";
import { cellAt, connectionOf, draw, extentOf, foldOf, indexOf, isCut, windowAt, type Cell } from "./weightGrid";
import { exact, typeWords } from "./words";

type Window = readonly [number, number, number, number];

export function WeightsView({ id }: { id: string }): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const node = usePart((state) => nodeOf(state.spec, id));
  const whole = usePart((state) => state.whole);
  const run = usePart((state) => state.weightsRun);
  const readonly = usePart((state) => state.readonly);
  const [name, setName] = useState<string>();
  const [part, setPart] = useState<Window>();
  const [weights, setWeights] = useState<Weights>();
  const [problem, setProblem] = useState("");
  const [at, setAt] = useState<Cell>();
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    const asking = new AbortController();
    void model.weights(id, { ...(name ? { name } : {}), ...(part ? { window: part } : {}) }, asking.signal).then(({ answer, problem: wrong }) => {
      if (asking.signal.aborted) return;
      if (answer) setWeights(answer);
      setProblem(wrong ?? "");
    });
    return () => asking.abort();
  }, [model, id, name, part, whole, run, turn]);

  const index = weights && at ? indexOf(weights, at) : undefined;
  return (
    <div
      className="dialog weights"
      role="dialog"
      aria-modal="true"
      aria-label={`Weights of ${id}`}
      data-testid="weights-view"
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape") desk.close();
      }}
    >
      <header>
        <h3>{id} <small>{node ? typeWords(node) : ""}</small></h3>
        {weights && Object.keys(weights.names).length > 1 && (
          <select aria-label="Which numbers" data-testid="weights-name" value={weights.name} onChange={(event) => { setName(event.target.value); setPart(undefined); setAt(undefined); }}>
            {Object.entries(weights.names).map(([one, shape]) => <option key={one} value={one}>{one} ({shape.join(" × ")})</option>)}
          </select>
        )}
        <button type="button" className="close" aria-label="Close" onClick={() => desk.close()}>×</button>
      </header>
      {weights ? (
        <>
          <p className="help">{aboutWords(weights)}</p>
          <Heat
            weights={weights}
            at={at}
            onAt={setAt}
            onOpen={(cell) => {
              if (indexOf(weights, cell)) return;
              setPart(windowAt(weights, cell));
              setAt(undefined);
            }}
          />
          <div className="row">
            <Legend weights={weights} />
            {part && <button type="button" onClick={() => { setPart(undefined); setAt(undefined); }}>Show all</button>}
            {!readonly && <button type="button" aria-pressed={node?.frozen ?? false} data-testid="weights-freeze" onClick={() => model.toggleFrozen()}>{node?.frozen ? "Frozen" : "Freeze the layer"}</button>}
          </div>
          {at && index && (
            <One
              key={`${weights.name} ${index.join()}`}
              weights={weights}
              index={index}
              value={weights.values[at.row]?.[at.column] ?? 0}
              cut={isCut(node?.cut, index)}
              readonly={readonly}
              onValue={async (value) => {
                const wrong = await model.setWeight(id, weights.name, index, value);
                setProblem(wrong ?? "");
                setTurn((old) => old + 1);
              }}
              onCut={() => model.toggleCut(id, connectionOf(index))}
            />
          )}
          {!at && <p className="help">{weights.step[0] === 1 && weights.step[1] === 1 ? "Press a cell to read and change its number; the arrow keys walk." : "Press a place to see it number by number."}</p>}
        </>
      ) : (
        !problem && <p className="help">Fetching the numbers…</p>
      )}
      {problem && <p className="wrong" role="alert">{problem}</p>}
    </div>
  );
}

function aboutWords({ name, shape, first, step, grid, top, left, rows, columns }: Weights): string {
  const many = shape.reduce((product, length) => product * length, 1);
  const parts = [`${exact(many)} numbers, ${shape.join(" × ")}.`, first ? "First values: the network has not been trained as it is now." : "Of your trained model."];
  if (step[0] > 1 || step[1] > 1) parts.push(`Each cell is the largest of ${step[0]} × ${step[1]} numbers.`);
  else if (rows < grid[0] || columns < grid[1]) parts.push(`Rows ${top} to ${top + rows - 1}, columns ${left} to ${left + columns - 1}.`);
  if (name === "weight" && shape.length === 2) parts.push("A row is an output, a column an input.");
  if (name === "weight" && shape.length > 2) parts.push("A tile is the kernel from one channel (column) to one filter (row).");
  return parts.join(" ");
}

interface HeatProps {
  readonly weights: Weights;
  readonly at: Cell | undefined;
  readonly onAt: (cell: Cell) => void;
  readonly onOpen: (cell: Cell) => void;
}

function Heat({ weights, at, onAt, onOpen }: HeatProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useSize(box);
  const fold = useMemo(() => foldOf(weights, Math.max(200, room.width - 4), 340), [weights, room.width]);
  const [rows, columns] = [weights.values.length, weights.values[0]?.length ?? 0];

  useLayoutEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (!element || !context) return;
    const scale = globalThis.devicePixelRatio || 1;
    const [width, height] = extentOf(fold);
    element.width = Math.ceil(width * scale);
    element.height = Math.ceil(height * scale);
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
    context.scale(scale, scale);
    draw(context, weights, fold, at, readTheme(element.closest(".orrery") ?? element));
  }, [weights, fold, at]);

  const walk = useCallback(
    (event: KeyboardEvent) => {
      const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1], PageDown: [8, 0], PageUp: [-8, 0] }[event.key];
      if (step) {
        const from = at ?? { row: -(step[0] as number), column: -(step[1] as number) };
        onAt({ row: clamp(from.row + (step[0] as number), rows), column: clamp(from.column + (step[1] as number), columns) });
      } else if (event.key === "Enter" && at) {
        onOpen(at);
        box.current?.closest(".weights")?.querySelector<HTMLElement>('[data-testid="weight-value"]')?.focus();
      } else return;
      event.preventDefault();
    },
    [at, rows, columns, onAt, onOpen],
  );
  const value = at && weights.values[at.row]?.[at.column];
  const index = at && indexOf(weights, at);
  return (
    <div className="heat" ref={box}>
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={`${weights.name}, ${rows} rows, ${columns} columns. Arrow keys walk from cell to cell, Enter changes the number.`}
        data-testid="heat"
        onPointerDown={(event) => {
          const frame = event.currentTarget.getBoundingClientRect();
          const cell = cellAt(fold, event.clientX - frame.left, event.clientY - frame.top);
          onAt(cell);
          onOpen(cell);
        }}
        onKeyDown={walk}
      />
      <span className="unseen" role="status">{value === undefined ? "" : `${(index ?? [at?.row, at?.column]).join(", ")}: ${value.toPrecision(4)}`}</span>
    </div>
  );
}

function clamp(at: number, count: number): number {
  return Math.max(0, Math.min(count - 1, at));
}

function Legend({ weights }: { weights: Weights }): JSX.Element {
  const most = Math.max(Math.abs(weights.low), Math.abs(weights.high), 1e-12);
  const bar = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const element = bar.current;
    if (!element) return;
    const theme = readTheme(element.closest(".orrery") ?? element);
    const stops = [0, 0.25, 0.5, 0.75, 1].map((share) => css(colourAt("signed", share, theme.dark, theme.background)));
    element.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  });
  return <span className="legend">{(-most).toPrecision(2)} <span ref={bar} className="ramp" /> {most.toPrecision(2)}</span>;
}

interface OneProps {
  readonly weights: Weights;
  readonly index: readonly number[];
  readonly value: number;
  readonly cut: boolean;
  readonly readonly: boolean;
  readonly onValue: (value: number) => void;
  readonly onCut: () => void;
}

/** One number: what it joins, its value, and whether the connection is there at all. */
function One({ weights, index, value, cut, readonly, onValue, onCut }: OneProps): JSX.Element {
  const [text, setText] = useState(String(Number(value.toPrecision(6))));
  useEffect(() => setText(String(Number(value.toPrecision(6)))), [value]);
  const number = Number(text);
  const wrong = text.trim() === "" || !Number.isFinite(number);
  const isWeight = weights.name === "weight" && index.length > 1;
  return (
    <form
      className="row one"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) onValue(number);
      }}
    >
      <span>{weights.name} [{index.join(", ")}]{isWeight ? `: from input ${index[1]} to output ${index[0]}` : ""}</span>
      <input aria-label={`Value of ${weights.name} ${index.join(", ")}`} data-testid="weight-value" inputMode="decimal" disabled={readonly || cut} aria-invalid={wrong} value={text} onChange={(event) => setText(event.target.value)} />
      <button type="submit" data-testid="weight-set" disabled={readonly || wrong || cut}>Set</button>
      {isWeight && !readonly && <button type="button" data-testid="weight-cut" aria-pressed={cut} onClick={onCut}>{cut ? "Join again" : "Cut this connection"}</button>}
    </form>
  );
}
