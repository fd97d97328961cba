// Work that can wait, in slices so short that a frame is hardly ever late for it.

/** A page that is never idle gives it a slice this often ... */
const patienceMs = 50;
/** ... and of this length, which is also the least that any slice has. */
const sliceMs = 4;
/** However long the page says that it is idle: the pointer may be on its way. */
const longestMs = 20;

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

/** Pieces of work that somebody waits for; what is only done ahead comes after them. */
let awaited = 0;

/**
 * Calls `goOn`, which does a little and says whether there is more, while the page is idle. Returns what ends it.
 * `ahead`: nobody waits for it yet, so that it rests while there is work of which that is not so.
 */
export function whileIdle(goOn: () => boolean, ahead = false): () => void {
  let ended = false;
  const end = (): void => {
    if (!ended && !ahead) awaited -= 1;
    ended = true;
  };
  const run = (remaining: () => number): void => {
    const until = performance.now() + Math.min(longestMs, Math.max(sliceMs, remaining() - 1));
    while (!ahead || awaited === 0) {
      if (!goOn()) {
        end();
        return;
      }
      if (performance.now() >= until) break;
    }
    if (!ended) giveUp = whenIdle(run, patienceMs);
  };
  if (!ahead) awaited += 1;
  let giveUp = whenIdle(run, patienceMs);
  return () => {
    giveUp();
    end();
  };
}
