// Work that can wait, in slices so short that a frame is hardly ever late for it.

/** A page that is never idle gives it a slice this often ... */
const patienceMs = 50;
/** ... and of this length, which is also the least that any slice has. */
const sliceMs = 4;

/** A browser that does not say when it is idle (Safari) is taken to be so after a frame, with no time to spare. */
const frameMs = 16;

/** Calls `run` once the page is idle, or after `timeout` ms, with how many ms it has. Returns what gives it up. */
export function whenIdle(run: (remaining: () => number) => void, timeout: number): () => void {
  if (typeof requestIdleCallback !== "function") {
    const timer = setTimeout(() => run(() => 0), frameMs);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback((deadline) => run(() => deadline.timeRemaining()), { timeout });
  return () => cancelIdleCallback(handle);
}

/** Calls `goOn`, which does a little and says whether there is more, while the page is idle. Returns what ends it. */
export function whileIdle(goOn: () => boolean): () => void {
  const run = (remaining: () => number): void => {
    const end = performance.now() + Math.max(sliceMs, remaining() - 1);
    do {
      if (!goOn()) return;
    } while (performance.now() < end);
    giveUp = whenIdle(run, patienceMs);
  };
  let giveUp = whenIdle(run, patienceMs);
  return () => giveUp();
}
