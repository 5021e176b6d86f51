/** The line to a run: opens, listens, comes back after a break. */
import type { Command, Message } from "./data";
import { decode } from "./wire";

export type LineState = "connecting" | "open" | "reconnecting" | "unknown" | "closed";

export interface Line {
  command(command: Command): void;
  close(): void;
}

interface Listener {
  message(message: Message): void;
  state(state: LineState, reason: string): void;
}

/** The server closes with these when trying again would not help. */
const UNKNOWN_RUN = 4404;
const REFUSED = 4403;
const FIRST_WAIT = 400; // [ms]; doubles up to LAST_WAIT
const LAST_WAIT = 8000;

/** Opens `<base>/live/<run>`; `base` defaults to the page's own host. */
export function open(run: string, base: string | undefined, listener: Listener): Line {
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wait = FIRST_WAIT;
  let over = false;

  function connect(): void {
    socket = new WebSocket(`${base ?? here()}/live/${encodeURIComponent(run)}`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      wait = FIRST_WAIT;
      if (data instanceof ArrayBuffer) receive(data);
    };
    socket.onopen = () => listener.state("open", "");
    socket.onclose = ({ code, reason }: CloseEvent) => {
      if (over) return;
      if (code === UNKNOWN_RUN || code === REFUSED) {
        over = true;
        listener.state(code === UNKNOWN_RUN ? "unknown" : "closed", reason);
        return;
      }
      listener.state("reconnecting", reason);
      // A class of thirty that lost the same server must not come back in the same instant.
      timer = setTimeout(connect, wait * (0.75 + Math.random() / 2));
      wait = Math.min(LAST_WAIT, wait * 2);
    };
  }

  function receive(data: ArrayBuffer): void {
    let message: Message;
    try {
      message = decode(data);
    } catch (problem) {
      listener.state("closed", `A message of the run cannot be read: ${String(problem)}. Reload the page.`);
      return;
    }
    listener.message(message);
  }

  listener.state("connecting", "");
  connect();
  return {
    command(command) {
      if (socket?.readyState === 1) socket.send(JSON.stringify(command));
    },
    close() {
      over = true;
      clearTimeout(timer);
      socket?.close();
    },
  };
}

function here(): string {
  const { protocol, host } = globalThis.location;
  return `${protocol === "https:" ? "wss" : "ws"}://${host}`;
}
