/** The live view: a run's pictures, headline numbers and controls, as they change. */
import { element, say } from "../shared/element";
import { frame, type Mounted, type Send } from "../shared/mount";
import theme from "../shared/theme.css?inline";
import { controls, type Controls } from "./controls";
import type { Entry } from "./controls/control";
import type { Command, Message, Named, Value, View } from "./data";
import { facts } from "./facts";
import style from "./live.css?inline";
import { open, type Line, type LineState } from "./socket";
import { stage, type Layout } from "./stage";
import { transport } from "./transport";
import { merge } from "./wire";
import { ended } from "./words";

/** What a page tells the live view. */
export interface LiveData {
  /** The run to watch, or null before there is one. */
  run: string | null;
  /** The live controls, as `Form.to_json`. */
  form?: Entry[];
  /** Where the live controls stand at first. */
  live?: Named<Value>;
  layout?: Layout;
  /** Where the sockets are, `ws://host:port`; by default where the page is. */
  socket?: string;
}

const NOTICE_FOR = 8000; // [ms]
/** A control turned after the end begins a new run as soon as the hand has rested so long [ms]. */
const REST = 400;

/** Mounts a live view; `send` gets `{finished}`, `{again}` and `{resume}`. */
export function mount(root: HTMLElement, data: LiveData, send: Send): Mounted<LiveData> {
  const body = frame(root, theme + style, "orrery live");
  body.tabIndex = 0;
  body.role = "group";
  body.ariaLabel = "Live view";

  let now = data;
  let line: Line | null = null;
  let lineState: LineState = "connecting";
  let reason = "";
  let message: Message | null = null;
  let views: Named<View> = {};
  let notice = "";
  let quiet: ReturnType<typeof setTimeout> | undefined;

  const bar = transport({
    command: (command: Command) => line?.command(command),
    again: () => send({ again: true }),
    resume: () => send({ resume: true }),
  });
  const numbers = facts();
  const pictures = stage(body, (slot, hit) => panel.hit(slot, hit));
  const caption = element("p", { class: "caption" });
  const side = element("div", { class: "side" });
  const empty = element("p", { class: "empty" });
  body.append(bar.element, numbers.element, element("div", { class: "middle" }, side, pictures.element), empty, caption);

  let turned: Named<Value> = {};
  let rest: ReturnType<typeof setTimeout> | undefined;
  /** Steers the run; where it has ended, the page is asked for a new one with these values. */
  function turn(values: Named<Value>): void {
    if (!ended(message)) return line?.command({ do: "set", values });
    turned = { ...turned, ...values };
    clearTimeout(rest);
    rest = setTimeout(() => {
      send({ again: true, values: turned });
      turned = {};
    }, REST);
  }

  let panel: Controls = build(data);
  function build({ form = [], live = {} }: LiveData): Controls {
    const made = controls(form, turn, () => pictures.mark());
    made.show(live);
    side.replaceChildren(made.element);
    body.classList.toggle("pad", made.pad);
    pictures.listen(made.all);
    return made;
  }

  function status(): void {
    bar.show(lineState, reason, message, notice);
    panel.enable(lineState === "open" || ended(message));
    const nothing = Object.keys(views).length === 0;
    empty.hidden = !nothing || now.layout?.chrome === false;
    say(empty, now.run === null ? "Nothing runs yet." : message?.state === "running" ? "The first picture is on its way." : "");
  }

  /** A notice comes with one message only; it is kept until it can have been read. */
  function keep(words: string): void {
    notice = words;
    clearTimeout(quiet);
    quiet = setTimeout(() => {
      notice = "";
      status();
    }, NOTICE_FOR);
  }

  function receive(newest: Message): void {
    const before = message;
    message = newest;
    const merged = merge(before ? views : {}, newest);
    views = merged.views;
    pictures.show(views, merged.changed);
    numbers.show(newest.facts);
    panel.show(newest.live);
    for (const control of panel.all) control.there?.(newest.slots);
    if (newest.notice) keep(newest.notice);
    status();
    if (newest.state === "finished" && before && before.state !== "finished") send({ finished: true });
  }

  function connect(): void {
    line?.close();
    line = null;
    message = null;
    // The pictures of the run before stay until the first of the new one: no blink in between.
    if (now.run === null) return status();
    line = open(now.run, now.socket, {
      message: receive,
      state(state, why) {
        lineState = state;
        reason = why;
        status();
      },
    });
  }

  function dress(): void {
    const layout = now.layout ?? {};
    body.classList.toggle("present", Boolean(layout.present));
    body.classList.toggle("plain", layout.chrome === false);
    bar.element.hidden = now.run === null;
    say(caption, layout.caption ?? "");
    caption.hidden = !layout.caption;
    pictures.layout(layout);
  }

  body.onkeydown = (event) => {
    const target = event.composedPath()[0];
    const typing = target instanceof HTMLElement && target.closest("button, input, select, textarea");
    if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && bar.key(event.key)) event.preventDefault();
  };

  dress();
  connect();
  return {
    update(next) {
      const before = now;
      now = next;
      if (differ(before.form, next.form)) panel = build(next);
      if (differ(before.layout, next.layout)) dress();
      if (before.run !== next.run || before.socket !== next.socket) {
        bar.element.hidden = next.run === null;
        connect();
      }
    },
    destroy() {
      line?.close();
      clearTimeout(quiet);
      clearTimeout(rest);
      pictures.destroy();
      root.replaceChildren();
    },
  };
}

function differ(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) !== JSON.stringify(other);
}

export default mount;
