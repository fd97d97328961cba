// The page inside its host: link in the address bar, TensorBoard's order of runs.
import { effect } from "@preact/signals";
import { Disposables } from "../base/disposables";
import { dependOn } from "../state/depend";
import { hashWindow, readHash, replaceHash } from "../state/hosthash";
import type { Store } from "../state/store";
import { decodeSelection, mergeHash } from "../state/urlcodec";

const WRITE_MS = 150;

/** Keeps the selection and the hash equal, whichever of the two changes. */
export function followHash(own: Window, store: Store): Disposables {
  const life = new Disposables();
  let timer: ReturnType<typeof setTimeout> | undefined;
  store.selection.value = decodeSelection(readHash(own));
  life.listen(hashWindow(own), "hashchange", () => {
    store.selection.value = decodeSelection(readHash(own));
  });
  const write = (): void => replaceHash(own, mergeHash(readHash(own), store.selection.peek()));
  life.add(
    effect(() => {
      dependOn(store.selection.value);
      // Browsers refuse too many changes in a row, and playing makes many.
      clearTimeout(timer);
      timer = setTimeout(write, WRITE_MS);
    }),
  );
  life.add(() => clearTimeout(timer));
  return life;
}

/** TensorBoard's own list of runs, in the order in which it deals its colours; empty without one. */
export async function hostRuns(base: URL): Promise<readonly string[]> {
  try {
    const answer = await fetch(new URL("../../runs", base), { headers: { accept: "application/json" } });
    const runs: unknown = answer.ok ? await answer.json() : [];
    return Array.isArray(runs) ? runs.filter((run): run is string => typeof run === "string") : [];
  } catch {
    return [];
  }
}
