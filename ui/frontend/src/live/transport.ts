/** The bar that plays, pauses, steps, stops and says where a run is. */
import { element, icon, say } from "../shared/element";
import { format } from "../shared/numbers";
import type { Command, Message } from "./data";
import type { LineState } from "./socket";
import { ended, resumable, words } from "./words";

const PLAY = "M4 2.5v11l9-5.5z";
const PAUSE = "M4 3h3v10H4zm5 0h3v10H9z";
const STEP = "M3 3v10l6-5zm7 0h2.4v10H10z";
const EPOCH = "M2 3v10l4.5-5zm5 0v10l4.5-5zm5.5 0h2v10h-2z";
const STOP = "M3.5 3.5h9v9h-9z";

const SPEEDS: [words: string, value: number | null][] = [["Slow", 2], ["Steady", 10], ["Fast", 60], ["Full speed", null]];

export interface Transport {
  element: HTMLElement;
  show(line: LineState, reason: string, message: Message | null, notice: string): void;
  /** What a key on the stage does; whether it did anything. */
  key(key: string): boolean;
}

interface Listener {
  command(command: Command): void;
  /** Asks the page to start the run anew. */
  again(): void;
  /** Asks the page to go on from the checkpoint of a run that ended early. */
  resume(): void;
}

export function transport(listener: Listener): Transport {
  let message: Message | null = null;
  const play = round("Pause (space)", PAUSE);
  const step = round("One step (full stop)", STEP);
  const epoch = round("To the end of the epoch (e)", EPOCH);
  const stop = round("Stop", STOP);
  const state = element("strong");
  const detail = element("span", { class: "detail" });
  const count = element("span", { class: "count" });
  const done = element("div", { class: "done" });
  const progress = element("div", { class: "progress", role: "progressbar", "aria-label": "Progress" }, done);
  const speed = element("select", { "aria-label": "Speed", title: "Speed" }, ...SPEEDS.map(([name], index) => element("option", { value: index }, name)));
  const resume = element("button", { type: "button", class: "act" }, "Resume");
  const again = element("button", { type: "button", class: "act" }, "Run again");
  const heard = element("div", { class: "unseen", role: "status", "aria-live": "polite" });
  const buttons = element("div", { class: "buttons" }, play, step, epoch, stop);
  const bar = element(
    "div", { class: "transport", role: "group", "aria-label": "Run" },
    buttons, element("p", { class: "state" }, state, " ", detail), resume, again, progress, count, speed, heard,
  );

  const toggle = (): void => listener.command({ do: message?.state === "paused" ? "resume" : "pause" });
  play.onclick = toggle;
  step.onclick = () => listener.command({ do: "step" });
  const leap = (): void => listener.command({ do: "step", value: message?.leap || 1 });
  epoch.onclick = leap;
  stop.onclick = () => listener.command({ do: "stop" });
  resume.onclick = () => listener.resume();
  again.onclick = () => listener.again();
  speed.onchange = () => listener.command({ do: "speed", value: SPEEDS[Number(speed.value)]![1] });

  let face = "";
  function show(line: LineState, reason: string, newest: Message | null, notice: string): void {
    message = newest;
    const said = words(line, reason, newest, notice);
    say(state, said.state);
    say(detail, said.detail);
    if (bar.dataset.tone !== said.tone) bar.dataset.tone = said.tone;
    // The live region speaks of changes of state only, never of progress.
    say(heard, said.state === "Connecting" ? "" : `${said.state}. ${said.detail}`);
    const over = ended(newest);
    const steerable = line === "open" && newest !== null && !over && newest.state !== "queued";
    buttons.hidden = over || line === "unknown";
    epoch.hidden = !newest?.leap;
    for (const button of [play, step, epoch, speed]) button.disabled = !steerable || newest.state === "waiting";
    stop.disabled = !(line === "open" && newest !== null && !over);
    speed.hidden = over;
    resume.hidden = !resumable(newest) || line === "unknown";
    again.hidden = !(over || line === "unknown");
    const paused = newest?.state === "paused";
    if (face !== String(paused)) {
      face = String(paused);
      play.replaceChildren(icon(paused ? PLAY : PAUSE));
      play.title = play.ariaLabel = paused ? "Play (space)" : "Pause (space)";
    }
    if (newest) showProgress(newest);
  }

  function showProgress({ step: at, of, speed: limit }: Message): void {
    const share = of > 0 ? Math.min(1, at / of) : 0;
    done.style.transform = `scaleX(${share})`;
    progress.ariaValueMax = String(of);
    progress.ariaValueNow = String(at);
    say(count, of > 0 ? `${format(at, 9)} / ${format(of, 9)}` : "");
    count.style.minWidth = `${2 * format(of, 9).length + 3}ch`;
    const index = SPEEDS.findIndex(([, value]) => value === limit);
    if (index >= 0 && !speed.matches(":focus")) speed.value = String(index);
  }

  return {
    element: bar,
    show,
    key(key) {
      if (play.disabled) return false;
      if (key === " ") toggle();
      else if (key === ".") listener.command({ do: "step" });
      else if (key === "e" && !epoch.hidden) leap();
      else return false;
      return true;
    },
  };
}

function round(name: string, path: string): HTMLButtonElement {
  return element("button", { type: "button", class: "round", title: name, "aria-label": name }, icon(path));
}
