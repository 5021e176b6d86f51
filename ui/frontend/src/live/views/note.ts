import type { Note } from "../data";
import type { Built } from "./kind";

/** Splits a line into plain, **bold**, *slanted* and `code` pieces; never into HTML. */
function inline(line: string): Node[] {
  return line.split(/(\*\*[^*]+\*\*|`[^`]+`|\*[^*\s][^*]*\*)/).filter(Boolean).map((piece) => {
    if (piece.startsWith("**") && piece.length > 4) return element("strong", piece.slice(2, -2));
    if (piece.startsWith("`") && piece.length > 2) return element("code", piece.slice(1, -1));
    if (piece.startsWith("*") && piece.length > 2) return element("em", piece.slice(1, -1));
    return document.createTextNode(piece);
  });
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** Markdown's small part: paragraphs, headings, lists, code blocks. */
export function markdown(text: string): HTMLElement[] {
  const blocks: HTMLElement[] = [];
  let fence: string[] | null = null;
  let open = false; // whether the last block takes further lines
  for (const line of text.split("\n")) {
    if (line.trimStart().startsWith("```")) {
      if (fence) blocks.push(element("pre", fence.join("\n")));
      fence = fence ? null : [];
      open = false;
    } else if (fence) {
      fence.push(line);
    } else {
      open = block(blocks, line, open);
    }
  }
  if (fence?.length) blocks.push(element("pre", fence.join("\n")));
  return blocks;
}

/** Adds a line to the last block or begins a new one; says whether that one is a paragraph still open. */
function block(blocks: HTMLElement[], line: string, open: boolean): boolean {
  const item = /^\s*(?:([-*])|\d+\.)\s+(.*)$/.exec(line);
  const heading = /^#{1,4}\s+(.*)$/.exec(line);
  const last = blocks[blocks.length - 1];
  if (!line.trim()) return false;
  if (item) {
    const tag = item[1] ? "ul" : "ol";
    const list = last?.localName === tag ? last : document.createElement(tag);
    if (list !== last) blocks.push(list);
    const entry = document.createElement("li");
    entry.append(...inline(item[2]!));
    list.append(entry);
    return false;
  }
  if (heading) {
    blocks.push(element("h4", heading[1]!));
    return false;
  }
  if (open && last) {
    last.append(" ", ...inline(line.trim()));
    return true;
  }
  const paragraph = document.createElement("p");
  paragraph.append(...inline(line.trim()));
  blocks.push(paragraph);
  return true;
}

const said = new WeakMap<HTMLElement, string>();

function build(host: HTMLElement, view: Note): void {
  host.dataset.tone = view.tone;
  if (said.get(host) === view.text) return;
  said.set(host, view.text);
  host.replaceChildren(...markdown(view.text));
}

function describe(view: Note): string {
  const words = view.text.replace(/[*`#]/g, "").replace(/\s+/g, " ").trim();
  return `${view.title ? `${view.title}: ` : ""}${words || "An empty note."}`;
}

export const note: Built<Note> = { shape: "words", height: 60, build, describe };
