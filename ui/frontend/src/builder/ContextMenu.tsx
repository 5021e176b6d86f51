/** What can be done with what was pressed long, or with the right button. */
import { useEffect, useRef, type JSX, type KeyboardEvent } from "react";
import { actionOf, possible } from "./actions";
import { useDesk, useModel } from "./context";

const ON_LAYERS = ["parameters", "weights", "open", "append", "connect", "|", "cut", "copy", "paste", "duplicate", "|", "group", "unpack", "freeze", "output", "|", "delete"];
const ON_WIRE = ["insert", "disconnect"];
const ON_GROUND = ["append", "paste", "|", "all", "arrange", "fit", "find", "|", "undo", "redo", "|", "help"];

export function ContextMenu(): JSX.Element {
  const model = useModel();
  const desk = useDesk();
  const list = useRef<HTMLDivElement>(null);
  const { selection, edge } = model.state;
  const ids = edge !== undefined ? ON_WIRE : selection.size ? ON_LAYERS : ON_GROUND;
  const entries = ids.map((id) => (id === "|" ? undefined : actionOf(id))).filter((action) => action === undefined || possible(action, model));
  useEffect(() => list.current?.querySelector<HTMLElement>("button")?.focus({ preventScroll: true }), []);

  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    const buttons = [...(list.current?.querySelectorAll<HTMLElement>("button") ?? [])];
    const at = buttons.indexOf((event.target as Node).getRootNode() instanceof ShadowRoot ? (((event.target as Node).getRootNode() as ShadowRoot).activeElement as HTMLElement) : (document.activeElement as HTMLElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to !== undefined) buttons[(to + buttons.length) % buttons.length]?.focus();
    else if (event.key === "Escape") desk.close();
    else return;
    event.preventDefault();
  };

  return (
    <div ref={list} className="actions-menu" role="menu" aria-label={edge !== undefined ? "The connection" : selection.size ? "The chosen layers" : "The network"} onKeyDown={onKeyDown}>
      {entries.map((action, at) =>
        action === undefined ? (
          entries[at - 1] && entries[at + 1] ? <hr key={at} /> : null
        ) : (
          <button
            key={action.id}
            type="button"
            role="menuitem"
            className={action.danger ? "danger" : ""}
            data-testid={`do-${action.id}`}
            onClick={() => {
              desk.close();
              action.run(model, desk, "right");
            }}
          >
            <span>{action.words}</span>
            <kbd>{action.keys[0]}</kbd>
          </button>
        ),
      )}
    </div>
  );
}
