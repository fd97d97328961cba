// Work that can wait, in slices so short that a frame is hardly ever late for it.

/** A page that is never idle gives it a slice this often ... */
const patienceMs = 50;
/** ... and of this length, which is also the least that any slice has. */
const sliceMs = 4;

/** Calls `goOn`, which does a little and says whether there is more, while the page is idle. Returns what ends it. */
export function whileIdle(goOn: () => boolean): () => void {
  const run = (deadline: IdleDeadline): void => {
    const end = performance.now() + Math.max(sliceMs, deadline.timeRemaining() - 1);
    do {
      if (!goOn()) return;
    } while (performance.now() < end);
    handle = request();
  };
  const request = (): number => requestIdleCallback(run, { timeout: patienceMs });
  let handle = request();
  return () => cancelIdleCallback(handle);
}
