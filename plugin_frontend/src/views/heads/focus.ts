// What the parts of the Heads view share.
import { useMemo } from "preact/hooks";
import { useApp } from "../../frame/context";
import type { RunHeads } from "../../state/heads";
import { headRows } from "../../state/heads";
import type { HeadsState } from "../../state/heads";
import type { LayerHeads } from "../../data/heads";
import type { HeadAt } from "../../state/store";

export interface HeadsShown {
  readonly runs: readonly RunHeads[];
  readonly rows: readonly LayerHeads[];
  readonly names: readonly string[];
  readonly state: HeadsState;
  /** The step on screen. */
  readonly step: number;
  readonly worker: number | null;
}

export function useShown(): HeadsShown {
  const { store, heads } = useApp();
  const found = heads.heads.value.value;
  const { runs } = store.resolved.value;
  const key = runs.join("\n");
  const shown = useMemo(() => runs.flatMap((run) => found?.get(run) ?? []), [found, key]);
  const rows = useMemo(() => headRows(shown), [shown]);
  const names = useMemo(() => [...new Set(shown.flatMap((run) => run.names))], [shown]);
  const { heads: state, worker } = store.selection.value;
  return { runs: shown, rows, names, state, step: store.step.value ?? 0, worker };
}

export function useChange(): (patch: Partial<HeadsState>) => void {
  const { store } = useApp();
  return (patch) => store.update({ heads: { ...store.selection.peek().heads, ...patch } });
}

export const sameHead = (a: HeadAt | null, b: HeadAt | null): boolean => a?.layer === b?.layer && a?.head === b?.head;
