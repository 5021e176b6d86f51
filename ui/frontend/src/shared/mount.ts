/** What every component of this package is to its host: a function that fills an element. */

/** A living component; `update` brings new data, `destroy` takes everything back. */
export interface Mounted<Data> {
  update(data: Data): void;
  destroy(): void;
}

/** Tells the page something it must know. */
export type Send = (message: Record<string, unknown>) => void;

export type Mount<Data> = (root: HTMLElement, data: Data, send: Send) => Mounted<Data>;

/**
 * Puts a component's own style and an empty element into its root.
 *
 * Hosts mount into a shadow root, where no style sheet of the page reaches: each component
 * brings its own.
 */
export function frame(root: HTMLElement, css: string, name: string): HTMLElement {
  const style = document.createElement("style");
  style.textContent = css;
  const body = document.createElement("div");
  body.className = name;
  root.replaceChildren(style, body);
  return body;
}
