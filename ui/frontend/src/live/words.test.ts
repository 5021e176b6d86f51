import { describe, expect, test } from "vitest";
import type { Message, RunState } from "./data";
import { ended, resumable, words } from "./words";

function message(state: RunState, more: Partial<Message> = {}): Message {
  return {
    run: "r", state, place: null, step: 1, of: 2, facts: {}, waits: false, version: 1, failure: null, notice: null,
    speed: null, live: {}, views: {}, slots: [], ...more,
  };
}

describe("the words for a run", () => {
  test.each<[RunState, string]>([
    ["queued", "Queued"], ["running", "Running"], ["paused", "Paused"], ["waiting", "Ready"], ["finished", "Finished"],
    ["failed", "Failed"], ["stopped", "Stopped"],
  ])("that is %s are %s", (state, said) => {
    expect(words("open", "", message(state)).state).toBe(said);
  });

  test("tell the place in line", () => {
    expect(words("open", "", message("queued", { place: 1 })).detail).toBe("Next in line.");
    expect(words("open", "", message("queued", { place: 4 })).detail).toBe("Number 4 in line.");
  });

  test("tell why it failed and whether it can go on", () => {
    const failed = message("failed", { failure: { message: "The worker was killed.", resumable: true } });
    expect(words("open", "", failed)).toEqual({ state: "Failed", detail: "The worker was killed.", tone: "bad" });
    expect([ended(failed), resumable(failed), resumable(message("failed"))]).toEqual([true, true, false]);
  });

  test("tell about the line before anything else", () => {
    const running = message("running");
    expect(words("connecting", "", null).state).toBe("Connecting");
    expect(words("reconnecting", "", running).state).toBe("Reconnecting");
    expect(words("unknown", "", running).detail).toContain("Start a new one");
    expect(words("closed", "because", running)).toMatchObject({ state: "Not connected", detail: "because" });
  });

  test("carry a notice for a while", () => {
    expect(words("open", "", message("running"), "rate must lie in [0, 1]")).toMatchObject({ detail: "rate must lie in [0, 1]", tone: "warning" });
  });
});
