/** The model, and a part of its state, within React. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Model } from "./model";
import type { State } from "./state";

export const ModelContext = createContext<Model | null>(null);

export function useModel(): Model {
  const model = useContext(ModelContext);
  if (!model) throw new Error("builder: a part stands outside of ModelContext");
  return model;
}

/** What `pick` takes from the state; it must give the same object as long as nothing changed. */
export function usePart<Part>(pick: (state: State) => Part): Part {
  const model = useModel();
  return useSyncExternalStore(model.subscribe, () => pick(model.state));
}

/** Menus that the canvas, the toolbar and the keyboard open alike. */
export type Menu =
  | { readonly kind: "insert"; readonly edge: number; readonly near: readonly [number, number] }
  | { readonly kind: "append" }
  | { readonly kind: "connect" }
  | { readonly kind: "find" }
  | { readonly kind: "templates" }
  | { readonly kind: "paste" }
  | { readonly kind: "help" }
  | { readonly kind: "file" }
  | { readonly kind: "weights"; readonly node: string }
  | { readonly kind: "context"; readonly near: readonly [number, number] };

export interface Desk {
  readonly menu: Menu | undefined;
  open(menu: Menu): void;
  close(): void;
  /** Brings a node into sight. */
  reveal(id: string): void;
  /** Puts the keyboard into the inspector. */
  edit(): void;
  /** Shows the whole network. */
  fit(): void;
  /** Goes nearer (above 1) or farther. */
  zoom(factor: number): void;
  /** Where the cards stand. */
  places(): ReadonlyMap<string, readonly [number, number]>;
  /** Copies the chosen layers to the clipboard, or cuts them out. */
  copy(cut?: boolean): void;
  paste(): void;
  /** The canvas as SVG. */
  picture(): string;
  narrow: boolean;
}

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error("builder: a part stands outside of DeskContext");
  return desk;
}
