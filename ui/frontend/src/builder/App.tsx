/** The builder: toolbar above, palette left, canvas in the middle, inspector right, code below. */
import { ReactFlowProvider } from "@xyflow/react";
import { useEffect, useMemo, useRef, useState, type JSX, type KeyboardEvent } from "react";
import { Bars, Crumbs, Handy, Said } from "./Around";
import { Canvas, type CanvasHandle } from "./Canvas";
import { read, useClipboard, write } from "./clipboard";
import { DeskContext, ModelContext, useModel, usePart, type Desk, type Menu } from "./context";
import { dropTarget, type Under } from "./drop";
import { useFileDrop } from "./fileDrop";
import { CARD_WIDTH } from "./flow";
import { Inspector } from "./Inspector";
import { press, typing } from "./keys";
import { kindWords } from "./kinds";
import { Menus } from "./Menus";
import type { Model } from "./model";
import { Palette, type Dragged } from "./Palette";
import { CodePanel } from "./CodePanel";
import { Toolbar } from "./Toolbar";
import { useSize } from "./size";

/** Below, palette and inspector are drawers at the bottom [px]. */
const PHONE = 640;
/** From here on the inspector always has its place beside the canvas [px]. */
const DESKTOP = 860;
/** From here on there is room for the palette too [px]. */
const ROOMY = 1080;

export function App({ model }: { model: Model }): JSX.Element {
  return (
    <ModelContext.Provider value={model}>
      <ReactFlowProvider>
        <Builder />
      </ReactFlowProvider>
    </ModelContext.Provider>
  );
}

function Builder(): JSX.Element {
  const model = useModel();
  const height = usePart((state) => state.height);
  const selection = usePart((state) => state.selection);
  const codeOpen = usePart((state) => state.codeOpen);
  const readonly = usePart((state) => state.readonly);
  const root = useRef<HTMLDivElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<CanvasHandle>(null);
  const whole = useSize(root);
  const size = useSize(stage);
  const narrow = whole.width > 0 && whole.width < PHONE;
  const wide = whole.width >= DESKTOP;
  const [menu, setMenu] = useState<Menu>();
  const [paletteWanted, setPalette] = useState<boolean>();
  const [inspectorWanted, setInspector] = useState<boolean>();
  const [dragged, setDragged] = useState<Dragged>();
  const under = useRef<Under | undefined>(undefined);
  const paletteOpen = !readonly && (paletteWanted ?? whole.width >= ROOMY);
  const inspectorOpen = inspectorWanted ?? (wide || (!narrow && selection.size > 0));

  const desk = useMemo<Desk>(
    () => ({
      menu,
      open: setMenu,
      close: () => {
        setMenu(undefined);
        canvas.current?.focus();
      },
      reveal: (id) => canvas.current?.reveal(id),
      fit: () => canvas.current?.fit(),
      zoom: (factor) => canvas.current?.zoom(factor),
      places: () => canvas.current?.places() ?? new Map(),
      picture: () => canvas.current?.picture() ?? "",
      copy: (cut = false) => {
        // Where the browser keeps its clipboard to itself, ours still serves this page.
        void write(model.copySelection());
        if (cut) model.removeSelection();
      },
      paste: () => void read().then((text) => model.paste(text)),
      edit: () => {
        setInspector(true);
        // The form may only be there after the drawer has opened.
        requestAnimationFrame(() => {
          const fields = root.current?.querySelectorAll<HTMLElement>(".inspector form :is(input, select), .inspector .rename input");
          const form = root.current?.querySelector<HTMLElement>(".inspector form :is(input, select):not(:placeholder-shown)");
          (form ?? fields?.[0])?.focus({ preventScroll: true });
        });
      },
      narrow,
    }),
    [menu, narrow, model],
  );

  useEffect(() => {
    if (narrow && paletteWanted && inspectorWanted) setInspector(false);
  }, [narrow, paletteWanted, inspectorWanted]);

  const onDrag = (now: Dragged | undefined): void => {
    under.current?.mark(false);
    under.current = now && stage.current ? dropTarget(stage.current, now.x, now.y) : undefined;
    under.current?.mark(true);
    setDragged(now);
  };
  const onDrop = (drop: Dragged): void => {
    const target = stage.current && dropTarget(stage.current, drop.x, drop.y);
    if (!target || !canvas.current) return;
    if (target.edge !== undefined) model.insertOnEdge(target.edge, drop.type);
    else if (target.node !== undefined) {
      model.select([target.node]);
      model.append(drop.type);
    } else {
      const [x, y] = canvas.current.at(drop.x, drop.y);
      model.addAt(drop.type, [x - CARD_WIDTH / 2, y - 37], canvas.current.places());
    }
    canvas.current.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !menu) canvas.current?.focus();
    const everywhere = event.ctrlKey || event.metaKey || event.key === "/" || event.key === "?";
    if (!everywhere || typing(event.nativeEvent) || menu) return;
    if (press(event.nativeEvent, model, desk, narrow ? "down" : "right")) event.preventDefault();
  };

  useClipboard(root, model, menu !== undefined);
  const files = useFileDrop(model, () => setMenu({ kind: "file" }));

  return (
    <DeskContext.Provider value={desk}>
      <div ref={root} {...files} className={`frame ${narrow ? "narrow" : wide ? "wide" : "medium"} ${readonly ? "readonly" : ""}`} style={{ height }} onKeyDown={onKeyDown}>
        <Toolbar
          paletteOpen={paletteOpen}
          inspectorOpen={inspectorOpen}
          onPalette={() => {
            setPalette(!paletteOpen);
            if (narrow) setInspector(false);
          }}
          onInspector={() => {
            setInspector(!inspectorOpen);
            if (narrow) setPalette(false);
          }}
        />
        <Bars />
        <div className="desk">
          {paletteOpen && (
            <aside className="palette" aria-label="Layers">
              <Palette onDrag={onDrag} onDrop={onDrop} onAdded={() => narrow && setPalette(false)} />
            </aside>
          )}
          <div className="middle">
            <div className="stage" ref={stage}>
              <Crumbs />
              {size.width > 0 && <Canvas handle={canvas} size={size} narrow={narrow} />}
              {!wide && <Handy onParameters={() => desk.edit()} inspectorOpen={inspectorOpen} />}
            </div>
            {codeOpen && <CodePanel />}
          </div>
          {inspectorOpen && (
            <aside className="inspector" aria-label="Parameters">
              <Inspector />
            </aside>
          )}
          <Menus />
        </div>
        {dragged && <div className="ghost" style={ghostPlace(root.current, dragged)}>{kindWords(dragged.type)}</div>}
        <Said />
      </div>
    </DeskContext.Provider>
  );
}

function ghostPlace(root: HTMLElement | null, { x, y }: Dragged): { left: number; top: number } {
  const box = root?.getBoundingClientRect();
  return { left: x - (box?.left ?? 0), top: y - (box?.top ?? 0) };
}
