/** The builder as a component of a page: `mount(root, data, send)`. */
import flowStyle from "@xyflow/react/dist/style.css?inline";
import { createRoot } from "react-dom/client";
import { frame, type Mounted, type Send } from "../shared/mount";
import { readTheme } from "../shared/theme";
import themeStyle from "../shared/theme.css?inline";
import { App } from "./App";
import ownStyle from "./builder.css?inline";
import { Model } from "./model";
import type { BuilderData } from "./state";

export type { BuilderData };

/** Keys that change what others mean; the canvas listens for them on the document. */
const MODIFIERS = new Set(["Shift", "Control", "Meta", "Alt"]);
const THEME_EVERY = 1000; // [ms]

export function mount(root: HTMLElement, data: BuilderData, send: Send): Mounted<BuilderData> {
  const body = frame(root, `${themeStyle}\n${flowStyle}\n${ownStyle}`, "orrery builder");
  const model = new Model(data, send);
  const react = createRoot(body);
  react.render(<App model={model} />);
  readTheme(body);
  void openAddress(model);
  // The host's theme changes without a word; its variables do so by themselves, light or dark is asked.
  const theme = setInterval(() => readTheme(body), THEME_EVERY);
  // Hosts have shortcuts of one letter and cannot see that a letter was typed into a shadow root.
  const keep = (event: KeyboardEvent): void => {
    if (!MODIFIERS.has(event.key)) event.stopPropagation();
  };
  root.addEventListener("keydown", keep);
  root.addEventListener("keyup", keep);
  return {
    update: (next) => model.update(next),
    destroy: () => {
      clearInterval(theme);
      root.removeEventListener("keydown", keep);
      root.removeEventListener("keyup", keep);
      react.unmount();
      model.destroy();
      root.replaceChildren();
    },
  };
}

/** Opens the network that the page's address carries, once: going on in it must not bring it back. */
async function openAddress(model: Model): Promise<void> {
  if (!location.hash.includes("net=") || model.state.readonly) return;
  const opened = await model.openLink(location.hash);
  if (opened) history.replaceState(history.state, "", location.pathname + location.search);
}

export default mount;
