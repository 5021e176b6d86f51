/** The clipboard of the browser, where it lets us; layers travel through it as JSON text. */
import { useEffect, type RefObject } from "react";
import { typing } from "./keys";
import type { Model } from "./model";

/** Puts text on the clipboard from a button; a page without a secure address may not. */
export async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** What is on the clipboard, or nothing where the browser does not tell. */
export async function read(): Promise<string> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return "";
  }
}

/** Answers a copy, cut or paste of the browser; tells whether it was one of layers. */
export function clipboardEvent(event: ClipboardEvent, model: Model): boolean {
  if (event.type === "paste") {
    if (model.state.readonly) return false;
    model.paste(event.clipboardData?.getData("text/plain"));
    return true;
  }
  // Marked text is copied by the browser; layers only where nothing is marked.
  if (getSelection()?.toString() || model.state.selection.size === 0) return false;
  event.clipboardData?.setData("text/plain", model.copySelection());
  if (event.type === "cut") model.removeSelection();
  return true;
}

/** Listens for the browser's copy, cut and paste within an element, as long as nothing else is open. */
export function useClipboard(root: RefObject<HTMLElement | null>, model: Model, busy: boolean): void {
  useEffect(() => {
    const element = root.current;
    if (!element || busy) return;
    const onEvent = (event: ClipboardEvent): void => {
      if (!typing(event) && clipboardEvent(event, model)) event.preventDefault();
    };
    const kinds = ["copy", "cut", "paste"] as const;
    for (const kind of kinds) element.addEventListener(kind, onEvent);
    return () => {
      for (const kind of kinds) element.removeEventListener(kind, onEvent);
    };
  }, [root, model, busy]);
}
