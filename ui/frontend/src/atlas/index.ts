/** The map of topics: every lab a picture that comes alive when it is pointed at. */
import { mount as mountLive } from "../live/index";
import { frame, type Mounted, type Send } from "../shared/mount";
import themeCss from "../shared/theme.css?inline";
import { readTheme } from "../shared/theme";
import css from "./atlas.css?inline";
import { filtered, type Atlas, type Filter, type Topic } from "./filter";

/** How long one must point at a picture before it comes alive [ms]. */
const PATIENCE = 250;

export function mount(root: HTMLElement, data: Atlas, send: Send): Mounted<Atlas> {
  const body = frame(root, themeCss + css, "orrery atlas");
  const wanted: Filter = { words: "", chapter: "", path: "", open: false, time: "" };
  let atlas = data;

  const bar = element("div", "bar");
  const search = element("input", "search") as HTMLInputElement;
  Object.assign(search, { type: "search", placeholder: "Search topics", ariaLabel: "Search topics" });
  search.addEventListener("input", () => change({ words: search.value }));
  const chapters = choice("All chapters", "Chapter", (value) => change({ chapter: value }));
  const paths = choice("No path", "Learning path", (value) => change({ path: value }));
  const times = choice("Any time", "How long its claims take", (value) => change({ time: value as Filter["time"] }));
  options(times, [["short", "Proved in a second"], ["long", "Proved in seconds"]]);
  const open = element("label", "check");
  const box = element("input") as HTMLInputElement;
  box.type = "checkbox";
  box.addEventListener("change", () => change({ open: box.checked }));
  open.append(box, " not done yet");
  const count = element("span", "count");
  count.setAttribute("role", "status");
  bar.append(search, chapters, paths, times, open, count);
  const list = element("div", "list");
  body.append(bar, list);

  function change(part: Partial<Filter>): void {
    Object.assign(wanted, part);
    draw();
  }

  function draw(): void {
    readTheme(body);
    const shown = filtered(atlas, wanted);
    const total = shown.reduce((sum, chapter) => sum + chapter.labs.length, 0);
    count.textContent = total === 1 ? "1 topic" : `${total} topics`;
    list.replaceChildren(...shown.map((chapter) => section(chapter.title, chapter.labs)));
    if (!total) list.append(element("p", "nothing", "No topic fits. Try another word."));
  }

  function section(title: string, labs: Topic[]): HTMLElement {
    const part = element("section");
    const done = labs.filter((lab) => lab.done.includes("verified")).length;
    const head = element("h3", "", title);
    head.append(element("small", "", done ? ` ${done} of ${labs.length} verified` : ""));
    const grid = element("div", "grid");
    grid.append(...labs.map(card));
    part.append(head, grid);
    return part;
  }

  function card(lab: Topic): HTMLElement {
    const link = element("a", lab.broken ? "card broken" : "card") as HTMLAnchorElement;
    link.href = `/labs?lab=${encodeURIComponent(lab.id)}`;
    link.target = "_self";
    link.dataset.lab = lab.id;
    link.title = lab.text.split("\n\n")[0] ?? "";
    const picture = element("div", "picture");
    const image = element("img") as HTMLImageElement;
    Object.assign(image, { src: `/gallery/${lab.id}.webp`, alt: "", loading: "lazy" });
    image.addEventListener("error", () => image.remove());
    picture.append(image);
    const mark = lab.done.includes("verified") ? "✓ " : lab.done.length ? "◦ " : "";
    link.append(picture, element("span", "title", mark + lab.title));
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      send({ open: lab.id });
    });
    if (!lab.broken) alive(link, picture, lab.id);
    return link;
  }

  function fill(): void {
    options(chapters, atlas.chapters.map((chapter) => [chapter.title, chapter.title]));
    options(paths, (atlas.paths ?? []).map((path) => [path.title, path.title]));
    paths.hidden = !atlas.paths?.length;
  }

  fill();
  draw();
  return {
    update(next) {
      if (JSON.stringify(next) === JSON.stringify(atlas)) return;
      atlas = next;
      fill();
      draw();
    },
    destroy() {
      root.replaceChildren();
    },
  };
}

/** Starts a short run of the lab while its card is pointed at or has the focus. */
function alive(link: HTMLElement, picture: HTMLElement, lab: string): void {
  let timer = 0;
  let view: Mounted<never> | null = null;
  let stage: HTMLElement | null = null;
  let run = "";
  const begin = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(async () => {
      const answer = await post("/api/runs", { lab, settings: "quick" });
      if (!answer?.id || !link.matches(":hover, :focus")) return stop(answer?.id);
      run = answer.id;
      stage = element("div", "live");
      picture.append(stage);
      const data = { run, form: [], layout: { chrome: false, only: true }, height: 130 };
      view = mountLive(stage, data, () => undefined) as Mounted<never>;
    }, PATIENCE);
  };
  const end = (): void => {
    window.clearTimeout(timer);
    view?.destroy();
    view = null;
    stage?.remove();
    stop(run);
    run = "";
  };
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  link.addEventListener("pointerenter", begin);
  link.addEventListener("pointerleave", end);
  link.addEventListener("focus", begin);
  link.addEventListener("blur", end);
}

function stop(run: string | undefined): void {
  if (run) void post(`/api/runs/${run}/commands`, { do: "stop" });
}

async function post(path: string, body: unknown): Promise<{ id?: string } | null> {
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

function element(tag: string, name = "", text = ""): HTMLElement {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

function choice(all: string, label: string, tell: (value: string) => void): HTMLSelectElement {
  const made = element("select") as HTMLSelectElement;
  made.ariaLabel = label;
  made.dataset.all = all;
  made.addEventListener("change", () => tell(made.value));
  return made;
}

function options(select: HTMLSelectElement, entries: [string, string][]): void {
  const before = select.value;
  select.replaceChildren(
    ...[["", select.dataset.all ?? ""], ...entries].map(([value, words]) => new Option(words, value)),
  );
  select.value = before;
}
