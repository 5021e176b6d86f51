/** What the transport bar says about a run. */
import type { Message } from "./data";
import type { LineState } from "./socket";

export type Tone = "plain" | "good" | "warning" | "bad";

export interface Words {
  /** One or two words. */
  state: string;
  /** A sentence that says what to do, or nothing. */
  detail: string;
  tone: Tone;
}

type Say = (message: Message, notice: string) => Words;

const SAY: Record<Message["state"], Say> = {
  queued: ({ place }) => ({
    state: "Queued",
    detail: place === null || place < 1 ? "It starts as soon as there is room." : ahead(place),
    tone: "plain",
  }),
  running: (_, notice) => ({ state: "Running", detail: notice, tone: notice ? "warning" : "plain" }),
  paused: (_, notice) => ({ state: "Paused", detail: notice || "Play goes on, step goes one on.", tone: "plain" }),
  waiting: (_, notice) => ({ state: "Ready", detail: notice || "Turn a control.", tone: notice ? "warning" : "good" }),
  finished: (_, notice) => ({ state: "Finished", detail: notice, tone: "good" }),
  failed: ({ failure }) => ({
    state: "Failed",
    detail: failure?.message ?? "The run ended without a word; run it again.",
    tone: "bad",
  }),
  stopped: (_, notice) => ({ state: "Stopped", detail: notice, tone: "plain" }),
};

function ahead(place: number): string {
  return place === 1 ? "Next in line." : `Number ${place} in line.`;
}

/** The words for a line, the newest message that came over it, and the last notice to the watcher. */
export function words(line: LineState, reason: string, message: Message | null, notice = ""): Words {
  switch (line) {
    case "unknown":
      return {
        state: "Unknown run",
        detail: reason || "This run has ended and was cleared away, or its link is wrong. Start a new one.",
        tone: "warning",
      };
    case "closed":
      return { state: "Not connected", detail: reason || "The server refused the connection. Reload the page.", tone: "bad" };
    case "reconnecting":
      return { state: "Reconnecting", detail: "The run goes on meanwhile.", tone: "warning" };
    default:
      return message ? SAY[message.state](message, notice) : { state: "Connecting", detail: "", tone: "plain" };
  }
}

/** Whether a run has come to an end. */
export function ended(message: Message | null): boolean {
  return message !== null && ["finished", "failed", "stopped"].includes(message.state);
}

/** Whether a run that ended early can go on. */
export function resumable(message: Message | null): boolean {
  return ended(message) && Boolean(message?.resumable || message?.failure?.resumable);
}
