// The page inside its host: link in the address bar, TensorBoard's order of runs.
import { effect } from "@preact/signals";
import { Disposables } from "../base/disposables";
import type { Fetch } from "../data/transport";
import { changeOf } from "../state/history";
import { hashWindow, pushHash, readHash, replaceHash } from "../state/hosthash";
import type { Selection } from "../state/selection";
import type { Store } from "../state/store";
import { decodeSelection, mergeHash } from "../state/urlcodec";

const WRITE_MS = 150;
/** Moves to other heads that follow each other faster than this are one entry of the history. */
const ONE_MOVE_MS = 1000;

/**
 * Keeps the selection and the hash equal, whichever of the two changes. Where the reader has chosen another
 * place (state/history.ts) a new history entry is made, so that the browser's back button leads out of it.
 */
class HashFollower {
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** What stands in the history's current entry, or is about to. */
  private entered: Selection;
  private movedAt = -Infinity;

  constructor(
    private readonly own: Window,
    private readonly store: Store,
  ) {
    this.entered = this.addressed();
    store.selection.value = this.entered;
  }

  /** The address was changed: by the reader, or by going back or forward. */
  readonly read = (): void => {
    this.stop();
    this.entered = this.addressed();
    this.store.selection.value = this.entered;
  };

  private addressed(): Selection {
    return this.store.inFile(decodeSelection(readHash(this.own), this.store.standard()));
  }

  /** The selection was changed. */
  follow(now: Selection): void {
    const change = changeOf(this.entered, now);
    const again = change === "head" && performance.now() - this.movedAt < ONE_MOVE_MS;
    if (change === "head") this.movedAt = performance.now();
    if (change === "none" || again) {
      this.entered = now;
      // Browsers refuse too many changes in a row, and playing makes many.
      this.stop();
      this.timer = setTimeout(() => replaceHash(this.own, this.hashOf(this.entered)), WRITE_MS);
      return;
    }
    this.stop();
    // What was still to be written belongs to the entry that is left.
    replaceHash(this.own, this.hashOf(this.entered));
    this.entered = now;
    pushHash(this.own, this.hashOf(now));
  }

  readonly stop = (): void => clearTimeout(this.timer);

  private hashOf(selection: Selection): string {
    return mergeHash(readHash(this.own), selection);
  }
}

export function followHash(own: Window, store: Store): Disposables {
  const life = new Disposables();
  const follower = new HashFollower(own, store);
  const host = hashWindow(own);
  life.listen(host, "hashchange", follower.read);
  // TensorBoard throws the frame away when its list of plugins changes.
  if (host !== own) life.listen(own, "pagehide", () => life.dispose());
  life.add(effect(() => follower.follow(store.selection.value)));
  life.add(follower.stop);
  return life;
}

/** TensorBoard's own list of runs, in the order in which it deals its colours; empty without one. */
export async function hostRuns(base: URL, fetch: Fetch = globalThis.fetch): Promise<readonly string[]> {
  try {
    const answer = await fetch(new URL("../../runs", base).href, { headers: { accept: "application/json" } });
    const runs: unknown = answer.ok ? await answer.json() : [];
    return Array.isArray(runs) ? runs.filter((run): run is string => typeof run === "string") : [];
  } catch {
    return [];
  }
}
