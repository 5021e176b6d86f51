/** Elements in one line. */

type Attributes = Record<string, string | number | boolean | undefined>;

/** An element with attributes and children; `true` sets an empty attribute, `false` and undefined none. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag, attributes: Attributes = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** Sets text only where it differs: no needless layout, and a selection in it stays. */
export function say(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A drawing of 16 x 16 px from SVG path data, in the colour of the text. */
export function icon(path: string): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  for (const [name, value] of [["viewBox", "0 0 16 16"], ["width", "16"], ["height", "16"], ["aria-hidden", "true"]] as const) {
    picture.setAttribute(name, value);
  }
  const line = document.createElementNS(space, "path");
  line.setAttribute("d", path);
  line.setAttribute("fill", "currentColor");
  picture.append(line);
  return picture;
}
