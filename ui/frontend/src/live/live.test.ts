import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { encode } from "../../dev/fake";
import { mount, type LiveData } from ".";

/** A socket whose other end is the test. */
class Wire {
  static all: Wire[] = [];
  binaryType = "";
  readyState = 1;
  commands: unknown[] = [];
  onmessage?: (event: { data: ArrayBuffer }) => void;
  onopen?: () => void;
  onclose?: (event: { code: number; reason: string }) => void;

  constructor(readonly url: string) {
    Wire.all.push(this);
  }
  send(text: string): void {
    this.commands.push(JSON.parse(text));
  }
  close(): void {
    this.readyState = 3;
  }
  say(header: object): void {
    this.onopen?.();
    this.onmessage?.({
      data: encode({
        run: "r", state: "running", place: null, step: 1, of: 10, facts: {}, waits: false, version: 1, failure: null,
        notice: null, speed: null, live: {}, views: {}, slots: [], ...header,
      }),
    });
  }
}

const NOTE = { kind: "Note", text: "hello", title: "A note", tone: "plain" };
const BARS = { kind: "Bars", names: ["a", "b"], series: { p: { shape: [2], data: [1, 2] } }, xlabel: "", ylabel: "", log: false, level: {}, title: "Bars" };

let root: HTMLElement;
let sent: unknown[];

function open(data: Partial<LiveData> = {}): ReturnType<typeof mount> {
  return mount(root, { run: "r", ...data }, (message) => sent.push(message));
}
const newest = (): Wire => Wire.all[Wire.all.length - 1]!;
const seen = (selector: string): HTMLElement | null => root.querySelector(selector);
const press = (key: string): unknown => seen(".live")!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const button = (name: string): HTMLButtonElement => (
  [...root.querySelectorAll("button")].find((one) => one.textContent === name || one.getAttribute("aria-label")?.startsWith(name))!
);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", Wire);
  Wire.all = [];
  sent = [];
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  root.remove();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a live view", () => {
  test("opens the run's socket where the page is, or where it is told", () => {
    vi.stubGlobal("location", { protocol: "https:", host: "example.org" });
    open();
    expect(newest().url).toBe("wss://example.org/live/r");
    open({ socket: "ws://127.0.0.1:9" });
    expect(newest().url).toBe("ws://127.0.0.1:9/live/r");
  });

  test("shows a panel a slot, facts and progress", () => {
    open();
    newest().say({ views: { n: NOTE, b: BARS }, slots: ["n", "b"], facts: { "loss [nat]": 0.5 }, step: 3 });
    vi.advanceTimersByTime(50);
    expect([...root.querySelectorAll("h3")].map((one) => one.textContent).sort()).toEqual(["A note", "Bars"]);
    expect(seen(".words")!.textContent).toBe("hello");
    expect(seen("canvas")!.getAttribute("role")).toBe("img");
    expect(seen(".facts")!.textContent).toBe("Loss0.5000nat");
    expect(seen(".count")!.textContent).toBe("3 / 10");
    expect(seen("[role=progressbar]")!.ariaValueNow).toBe("3");
  });

  test("is steered by buttons and keys", () => {
    open();
    newest().say({});
    press(" ");
    newest().say({ state: "paused" });
    press(" ");
    press(".");
    button("Stop").click();
    const speed = seen(".transport select") as HTMLSelectElement;
    speed.value = "0";
    speed.dispatchEvent(new Event("change"));
    expect(newest().commands).toEqual([
      { do: "pause" }, { do: "resume" }, { do: "step" }, { do: "stop" }, { do: "speed", value: 2 },
    ]);
  });

  test("turns live controls, and shows how others turned them", () => {
    open({ form: [{ name: "rate", kind: "Slider", default: 0.1, low: 0, high: 1 }], live: { rate: 0.2 } });
    expect(seen("output")!.textContent).toBe("0.2");
    newest().say({ live: { rate: 0.4 } });
    expect(seen("output")!.textContent).toBe("0.4");
    const slider = seen("input[type=range]") as HTMLInputElement;
    slider.value = "900";
    slider.dispatchEvent(new Event("input"));
    expect(newest().commands).toEqual([{ do: "set", values: { rate: 0.9 } }]);
  });

  test("tells the page once that the run has finished, and asks it to run again", () => {
    open();
    newest().say({});
    newest().say({ state: "finished" });
    newest().say({ state: "finished" });
    button("Run again").click();
    expect(sent).toEqual([{ finished: true }, { again: true }]);
  });

  test("tells the page nothing when it is opened on a finished run", () => {
    open();
    newest().say({ state: "finished" });
    expect(sent).toEqual([]);
  });

  test("says why a run failed and offers to go on", () => {
    open();
    newest().say({ state: "failed", failure: { message: "The worker was killed (signal 9).", resumable: true } });
    expect(seen(".state")!.textContent).toContain("The worker was killed (signal 9).");
    button("Resume").click();
    expect(sent).toEqual([{ resume: true }]);
  });

  test("comes back after a break and keeps its pictures meanwhile", () => {
    open();
    newest().say({ views: { n: NOTE }, slots: ["n"] });
    newest().onclose!({ code: 1006, reason: "" });
    expect(seen(".state")!.textContent).toContain("Reconnecting");
    expect(seen(".panel")).not.toBeNull();
    vi.advanceTimersByTime(1000);
    expect(Wire.all).toHaveLength(2);
    newest().say({ views: { n: NOTE }, slots: ["n"] });
    expect(seen(".state")!.textContent).toContain("Running");
  });

  test("does not come back to a run that is not there", () => {
    open();
    newest().onclose!({ code: 4404, reason: "there is no run 'r'; start a new one" });
    vi.advanceTimersByTime(60_000);
    expect(Wire.all).toHaveLength(1);
    expect(seen(".state")!.textContent).toContain("there is no run 'r'");
  });

  test("hides a panel and brings it back", () => {
    open();
    newest().say({ views: { note: NOTE, b: BARS }, slots: ["note", "b"] });
    button("Hide Note").click();
    expect(root.querySelectorAll(".panel")).toHaveLength(1);
    button("Show Note").click();
    expect(root.querySelectorAll(".panel")).toHaveLength(2);
  });

  test("keeps other panels when a view cannot be shown", () => {
    const errors = vi.spyOn(console, "error").mockImplementation(() => {});
    open();
    newest().say({ views: { odd: { kind: "Hologram", title: "" }, broken: { kind: "Table", title: "" }, n: NOTE }, slots: ["odd", "broken", "n"] });
    vi.advanceTimersByTime(50);
    const words = [...root.querySelectorAll(".words")].map((one) => one.textContent);
    expect(words).toContain("hello");
    expect(words.some((text) => text!.includes("does not know Hologram"))).toBe(true);
    expect(words.some((text) => text!.includes("Could not show this"))).toBe(true);
    errors.mockRestore();
  });

  test("takes another run without a jump, and lets go of everything at the end", () => {
    const view = open();
    newest().say({ views: { n: NOTE }, slots: ["n"] });
    const first = newest();
    view.update({ run: "s" });
    expect(first.readyState).toBe(3);
    expect(newest().url).toContain("/live/s");
    expect(seen(".panel")).not.toBeNull();
    newest().say({ views: { b: BARS }, slots: ["b"] });
    expect([...root.querySelectorAll("h3")].map((one) => one.textContent)).toEqual(["Bars"]);
    view.destroy();
    expect(root.children).toHaveLength(0);
    expect(newest().readyState).toBe(3);
  });
});
