import type { Named, Value } from "../data";

const EVERY = 1000 / 30; // [ms]

/** Sends merged values at once, then at most 30 times a second; the last always arrives. */
export function throttle(send: (values: Named<Value>) => void, every = EVERY): (values: Named<Value>) => void {
  let waiting: Named<Value> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    if (!waiting) return;
    const values = waiting;
    waiting = null;
    timer = setTimeout(flush, every);
    send(values);
  };
  return (values) => {
    waiting = { ...waiting, ...values };
    if (timer === undefined) flush();
  };
}
