// Heads in the order of a statistic: the first few, the rank of the head in focus, one line per layer.
import { useMemo, useState } from "preact/hooks";
import { formatCount } from "../../base/format";
import { useApp } from "../../frame/context";
import { rankedHeads, TOP_COUNTS, type RankedHead, type RunHeads } from "../../state/heads";
import { statisticDefinition, statisticName, t } from "../../text/table";
import { useExport } from "../exporting";
import { formatStatistic } from "../head_facts";
import { Choice } from "../toolbar";
import { percentOf, shareOf } from "./bars";
import { sameHead, useChange, type HeadsShown } from "./focus";
import { finderEntry } from "./list_entries";

export function HeadButton({ at }: { readonly at: { layer: number; head: number } }): preact.JSX.Element {
  const { store } = useApp();
  const chosen = sameHead(store.lockedHead.value, at);
  return (
    <button
      type="button"
      class="head-button"
      title={t("headShortTitle")}
      aria-pressed={chosen}
      aria-label={t("headName", { layer: at.layer, head: at.head })}
      onMouseEnter={() => store.setHover({ layer: at.layer, head: at.head })}
      onMouseLeave={() => store.setHover({})}
      onClick={() => store.lockHead({ layer: at.layer, head: at.head })}
    >
      {t("headShort", { layer: at.layer, head: at.head })}
    </button>
  );
}

/** The best head of each layer, in the order of the ranks, and how many heads the layer has. */
function byLayer(ranked: readonly RankedHead[]): { readonly first: RankedHead; readonly rest: readonly RankedHead[] }[] {
  const layers = new Map<number, RankedHead[]>();
  for (const one of ranked) layers.set(one.layer, [...(layers.get(one.layer) ?? []), one]);
  return [...layers.values()].flatMap(([first, ...rest]) => (first === undefined ? [] : [{ first, rest }]));
}

interface Line {
  readonly one: RankedHead;
  /** Heads of the layer that are unfolded here. */
  readonly hidden: number;
}

const plain = (one: RankedHead): Line => ({ one, hidden: 0 });

interface LineProps {
  readonly line: Line;
  readonly statistic: string;
  readonly largest: number;
  /** The rest of its layer stands below it. */
  readonly open: boolean;
  readonly toggle: (layer: number) => void;
}

function FinderLine({ line: { one, hidden }, statistic, largest, open, toggle }: LineProps): preact.JSX.Element {
  const { store } = useApp();
  return (
    <tr data-chosen={sameHead(store.lockedHead.value, one)} data-testid="finder-row">
      <th scope="row">
        <HeadButton at={one} />
        {hidden > 0 && (
          <button type="button" class="quiet" aria-expanded={open} onClick={() => toggle(one.layer)}>
            {open ? "▾" : "▸"} {t("findUnfold", { n: hidden + 1 })}
          </button>
        )}
      </th>
      <td class="number muted">{t("findRankOf", { k: one.rank, n: one.of })}</td>
      <td class="number">{formatStatistic(statistic, one.value)}</td>
      <td class="bar-cell" aria-hidden="true"><span class="bar" style={{ width: percentOf(shareOf(one.value, largest)) }} /></td>
    </tr>
  );
}

/** In which order, how many, and whether one head stands for its layer. */
function FinderChoices({ state }: Pick<HeadsShown, "state">): preact.JSX.Element {
  const change = useChange();
  return (
    <div class="group">
      <Choice label={t("findOrder")} quiet value={state.ascending ? 1 : 0} options={[0, 1]} testId="find-order"
        name={(one) => t(one === 0 ? "findHighest" : "findLowest")} onChange={(one) => change({ ascending: one === 1 })} />
      <Choice label={t("findTop")} quiet value={state.top} options={TOP_COUNTS} testId="find-top"
        name={(n) => t("findTopN", { n })} onChange={(top) => change({ top })} />
      <label class="control">
        <input type="checkbox" checked={state.folded} data-testid="find-fold" onChange={() => change({ folded: !state.folded })} />
        <span>{t("findFold")}</span>
      </label>
    </div>
  );
}

export function Finder({ shown, run }: { readonly shown: HeadsShown; readonly run: RunHeads | undefined }): preact.JSX.Element {
  const { store } = useApp();
  const { state, step, worker } = shown;
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const ranked = useMemo(
    () => (run === undefined ? [] : rankedHeads(run, step, state.statistic, state.ascending, worker)),
    [run, step, state.statistic, state.ascending, worker],
  );
  const at = store.lockedHead.value;
  const mine = at === null ? undefined : ranked.find((one) => sameHead(one, at));
  const top = ranked.slice(0, state.top);
  const layers = state.folded ? byLayer(ranked) : [];
  const rows: readonly Line[] = state.folded
    ? layers.flatMap(({ first, rest }) => [{ one: first, hidden: rest.length }, ...(open.has(first.layer) ? rest.map(plain) : [])])
    : (mine === undefined || top.includes(mine) ? top : [...top, mine]).map(plain);
  const largest = ranked.reduce((most, { value }) => (value > most && value < Infinity ? value : most), 0);
  const toggle = (layer: number): void => {
    const next = new Set(open);
    if (!next.delete(layer)) next.add(layer);
    setOpen(next);
  };
  const all = state.folded ? layers.flatMap(({ first, rest }) => [first, ...rest]) : ranked;
  useExport(run === undefined || ranked.length === 0 ? [] : [finderEntry(store, shown, run, { shown: rows.map(({ one }) => one), all }, largest)]);
  const name = statisticName(state.statistic);
  return (
    <div class="finder">
      <FinderChoices state={state} />
      <div class="tool-scroll" tabIndex={0} role="region" aria-label={t("toolFind")}>
        <table data-testid="finder">
          <caption class="caption" title={statisticDefinition(state.statistic)}>
            {t("findCaption", { run: run?.run ?? "–", statistic: name, step: formatCount(step) })}
          </caption>
          <thead>
            <tr>
              <th scope="col">{t("findHead")}</th>
              <th scope="col" class="number">{t("findRank")}</th>
              <th scope="col" class="number">{name}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {rows.map((line) => (
              <FinderLine key={`${line.one.layer}.${line.one.head}`} line={line} statistic={state.statistic} largest={largest}
                open={open.has(line.one.layer)} toggle={toggle} />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
