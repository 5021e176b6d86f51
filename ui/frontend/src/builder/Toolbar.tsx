/** The row of buttons above the canvas, with the network's totals. */
import { type JSX, type ReactNode } from "react";
import { useDesk, useModel, usePart } from "./context";
import { bytesWords, fieldWords, parameterWords, problemsOf, short } from "./words";

interface Props {
  readonly paletteOpen: boolean;
  readonly inspectorOpen: boolean;
  readonly onPalette: () => void;
  readonly onInspector: () => void;
}

export function Toolbar({ paletteOpen, inspectorOpen, onPalette, onInspector }: Props): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const canUndo = usePart((state) => state.canUndo);
  const canRedo = usePart((state) => state.canRedo);
  const codeOpen = usePart((state) => state.codeOpen);
  const readonly = usePart((state) => state.readonly);
  const framing = usePart((state) => state.framing);
  return (
    <div className="toolbar" role="toolbar" aria-label="Builder">
      <div className="tools">
        {!readonly && <Tool id="palette" words="Layers" pressed={paletteOpen} onClick={onPalette} icon={ICONS.layers} wide />}
        {!readonly && <Tool id="undo" words="Undo (Ctrl+Z)" disabled={!canUndo} onClick={() => model.undo()} icon={ICONS.undo} />}
        {!readonly && <Tool id="redo" words="Redo (Ctrl+Shift+Z)" disabled={!canRedo} onClick={() => model.redo()} icon={ICONS.redo} />}
        <span className="gap" />
        <Tool id="layout" words="Arrange" disabled={readonly} onClick={() => model.arrange()} icon={ICONS.layout} />
        <Tool id="fit" words="Show all" onClick={() => desk.fit()} icon={ICONS.fit} />
        {!readonly && <Tool id="frame" words="Choose with a frame (or Shift and drag)" pressed={framing} onClick={() => {
              model.set({ framing: !framing });
              desk.close();
            }} icon={ICONS.frame} />}
        <Tool id="find" words="Find a layer (F)" onClick={() => desk.open({ kind: "find" })} icon={ICONS.find} />
        <span className="gap" />
        {!readonly && <Tool id="templates" words="Templates" onClick={() => desk.open({ kind: "templates" })} icon={ICONS.templates} wide />}
        <Tool id="files" words="Files" onClick={() => desk.open({ kind: "file" })} icon={ICONS.files} wide />
        <Tool id="code" words="Code" pressed={codeOpen} onClick={() => model.toggleCode()} icon={ICONS.code} wide />
      </div>
      <Totals />
      <Tool id="help" words="Keys and hands (?)" onClick={() => desk.open({ kind: "help" })} icon={ICONS.help} />
      <Tool id="inspector" words="Parameters" pressed={inspectorOpen} onClick={onInspector} icon={ICONS.inspector} />
    </div>
  );
}

function Totals(): JSX.Element | null {
  const description = usePart((state) => state.description);
  if (!description) return null;
  const { totals } = description;
  const errors = problemsOf(description).filter((problem) => problem.level === "error").length;
  const field = fieldWords(totals.receptive_field);
  return (
    <div className="totals" data-testid="totals">
      {errors > 0 && <span className="error">{errors === 1 ? "1 problem" : `${errors} problems`}</span>}
      <span title={parameterWords(totals.parameters)}><b>{short(totals.parameters)}</b> parameters</span>
      <span><b>{short(totals.flops)}</b> FLOPs</span>
      <span className="minor"><b>{bytesWords(totals.memory)}</b></span>
      {field && <span className="minor" title="Receptive field: the part of the input that one output sees">sees <b>{field}</b></span>}
    </div>
  );
}

interface ToolProps {
  readonly id: string;
  readonly words: string;
  readonly icon: ReactNode;
  readonly onClick: () => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  /** Whether the words stand beside the picture. */
  readonly wide?: boolean;
}

function Tool({ id, words, icon, onClick, disabled = false, pressed, wide = false }: ToolProps): JSX.Element {
  return (
    <button type="button" className="tool" data-testid={`tool-${id}`} title={words} aria-label={words} aria-pressed={pressed} disabled={disabled} onClick={onClick}>
      <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">{icon}</svg>
      {wide && <span>{words}</span>}
    </button>
  );
}

const ICONS = {
  layers: <path d="M3 6h14M3 10h14M3 14h14" />,
  undo: <path d="M7 4 3.5 7.5 7 11M4 7.5h8a4.2 4.2 0 0 1 0 8.5H8" />,
  redo: <path d="m13 4 3.5 3.5L13 11M16 7.5H8a4.2 4.2 0 0 0 0 8.5h4" />,
  layout: <path d="M3 4h5v4H3zM12 4h5v4h-5zM12 12h5v4h-5zM8 6h4M14.5 8v4" />,
  fit: <path d="M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4" />,
  find: <path d="M8.5 3.5a5 5 0 1 1 0 10 5 5 0 0 1 0-10ZM12.3 12.3 17 17" />,
  templates: <path d="M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z" />,
files: <path d="M4 10v6h12v-6M10 3v9M6.5 6.5 10 3l3.5 3.5" />,
  frame: <path d="M3 6V3h3M9 3h2M14 3h3v3M17 9v2M17 14v3h-3M11 17H9M6 17H3v-3M3 11V9" />,
  help: <path d="M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 14.6v.2M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15Z" />,
  code: <path d="m7 5-5 5 5 5M13 5l5 5-5 5" />,
  inspector: <path d="M3 6h9M15 6h2M3 14h2M8 14h9M13.5 4v4M6.5 12v4" />,
};
