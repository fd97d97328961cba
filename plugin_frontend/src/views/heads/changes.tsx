// Between the pins A and B, over all examples: the heads that changed most, and which head of A is which of B.
import { useMemo } from "preact/hooks";
import { formatNumber } from "../../base/format";
import type { ChangesData } from "../../data/heads";
import { Kind } from "../../data/types";
import { useApp } from "../../frame/context";
import { Failure, Refusal } from "../../frame/failure";
import { matchedHeads, mostChanged, withoutMatch, type MatchedHead } from "../../state/heads";
import { recordAt } from "../../state/resolve";
import type { Pin } from "../../state/selection";
import type { Store } from "../../state/store";
import { t } from "../../text/table";
import { useExport } from "../exporting";
import { percentOf, shareOf } from "./bars";
import { HeadButton } from "./finder";
import { useFirst } from "./first";
import { sameHead } from "./focus";
import { betweenText, changesEntry, matchesEntry, type Sides } from "./list_entries";

/** The pins, each with the step of the record that shows its run there. */
function sidesOf(store: Store): Sides | undefined {
  const pins = store.pins.value;
  const shown = ({ run, step }: Pin): Pin => ({
    run,
    step: recordAt(store.index.value, store.selection.value, run, Kind.ATTENTION, store.resolved.value.name, step)?.step ?? step,
  });
  return pins === undefined ? undefined : { a: shown(pins.a), b: shown(pins.b) };
}

function Between({ examples }: { readonly examples: number }): preact.JSX.Element {
  const { store } = useApp();
  return <p class="caption muted" dir="auto">{betweenText(sidesOf(store), examples, 24)}</p>;
}

/** What stands in the place of a list; null = the list can be shown. */
function useObstacle(data: ChangesData | undefined): preact.JSX.Element | null {
  const { store, heads, loader } = useApp();
  const { error, busy } = heads.changes.value;
  const pins = store.pins.value;
  if (pins !== undefined && pins.a.run === pins.b.run && pins.a.step === pins.b.step) return <p class="placeholder">{t("changesSame")}</p>;
  if (data !== undefined && data.error !== null) return <Refusal text={t("changesFailed", { reason: data.error })} />;
  if (error !== null) return <Failure text={t("changesFailed", { reason: error })} retry={() => loader.retry()} />;
  if (data !== undefined) return null;
  return <p class="placeholder" role="status">{store.playing.value ? t("changesWaiting") : `${t("changesBusy")}${busy ? " …" : ""}`}</p>;
}

const NONE: readonly MatchedHead[] = [];

export function MostChanged(): preact.JSX.Element {
  const { store, heads } = useApp();
  const { value: data, busy } = heads.changes.value;
  const obstacle = useObstacle(data);
  const changed = useMemo(() => (data === undefined ? [] : mostChanged(data)), [data]);
  const [shown, more] = useFirst(changed);
  const largest = changed.reduce((most, { mean, spread }) => Math.max(most, mean + spread || 0), 0) || 1;
  const sides = sidesOf(store);
  // While others are compared, what is listed is not of these pins.
  useExport(obstacle !== null || data === undefined || busy || sides === undefined ? [] : [changesEntry(store, sides, data, { shown, all: changed }, largest)]);
  if (obstacle !== null || data === undefined) return obstacle ?? <p />;
  const percent = (value: number): string => percentOf(shareOf(value, largest));
  const at = store.lockedHead.value;
  const floored = changed.some(({ belowFloor }) => belowFloor);
  return (
    <div aria-busy={busy}>
      <Between examples={data.examples} />
      <div class="tool-scroll" tabIndex={0} role="region" aria-label={t("toolChanges")}>
        <table data-testid="changes">
          <caption class="visually-hidden">{t("changesCaption")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("findHead")}</th>
              <th scope="col" class="number" title={t("jsDefinition")}><span class="defined">{t("changesMean")}</span></th>
              <th scope="col" class="number" title={t("changesSpreadDefinition")}><span class="defined">± {t("changesSpread")}</span></th>
              <td />
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => (
              <tr key={`${one.layer}.${one.head}`} data-chosen={sameHead(at, one)} data-floor={one.belowFloor} data-testid="change-row">
                <th scope="row"><HeadButton at={one} /></th>
                <td class="number" title={one.belowFloor ? t("belowFloor") : undefined}>{formatNumber(one.mean)}</td>
                <td class="number muted">{formatNumber(one.spread)}</td>
                <td class="bar-cell" aria-hidden="true">
                  <span class="bar" style={{ width: percent(one.mean) }} />
                  <span class="whisker" style={{ left: percent(one.mean - one.spread), right: `calc(100% - ${percent(one.mean + one.spread)})` }} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more}
      {floored && <p class="caption muted">{t("changesFloor")}</p>}
    </div>
  );
}

/** A click shows the head of A beside that of B, or lets go of the pair. */
function MatchRow({ one }: { readonly one: MatchedHead }): preact.JSX.Element {
  const { store } = useApp();
  const chosen = sameHead(store.lockedHead.value, one) && store.selection.value.heads.other === one.other;
  const choose = (): void => {
    const place = chosen ? { layer: null, head: null } : { layer: one.layer, head: one.head };
    store.update({ ...place, heads: { ...store.selection.peek().heads, other: chosen ? null : one.other } });
  };
  return (
    <tr data-chosen={chosen} data-floor={one.belowFloor} data-moved={one.head !== one.other} data-testid="match-row">
      <th scope="row">
        <button type="button" class="head-button" aria-pressed={chosen} onClick={choose}>
          {t("pairOf", { a: t("headShort", { layer: one.layer, head: one.head }), b: t("headShort", { layer: one.layer, head: one.other }) })}
        </button>
      </th>
      <td class="number" title={one.belowFloor ? t("belowFloor") : undefined}>{formatNumber(one.distance)}</td>
      <td class="bar-cell" aria-hidden="true"><span class="bar" style={{ width: percentOf(shareOf(one.distance, 1)) }} /></td>
    </tr>
  );
}

export function Matches(): preact.JSX.Element {
  const { store, heads } = useApp();
  const { value: data, busy } = heads.changes.value;
  const obstacle = useObstacle(data);
  const matched = useMemo(() => (data === undefined ? NONE : matchedHeads(data)), [data]);
  const [shown, more] = useFirst(matched);
  const sides = sidesOf(store);
  useExport(matched.length === 0 || obstacle !== null || data === undefined || busy || sides === undefined ? [] : [matchesEntry(store, sides, data, { shown, all: matched })]);
  if (obstacle !== null || data === undefined) return obstacle ?? <p />;
  if (data.noMatches !== null) return <Refusal text={data.noMatches} />;
  const at = store.lockedHead.value;
  const { other } = store.selection.value.heads;
  const moved = data.matches.filter((one) => one.head !== one.other).length;
  const alone = withoutMatch(data);
  return (
    <div aria-busy={busy}>
      <Between examples={data.examples} />
      <div class="group">
        <p class="caption" data-testid="matches-moved">{t("matchesMoved", { n: moved, all: data.matches.length })}</p>
        {alone > 0 && <p class="caption muted" data-testid="matches-alone">{t("matchesAlone", { n: alone })}</p>}
        {at !== null && other !== null && (
          <button type="button" data-testid="match-show" onClick={() => store.update({ view: "attention", difference: true })}>
            {t("matchShow", { a: t("headShort", { ...at }), b: t("headShort", { layer: at.layer, head: other }) })}
          </button>
        )}
      </div>
      <div class="tool-scroll" tabIndex={0} role="region" aria-label={t("toolMatches")}>
        <table data-testid="matches">
          <caption class="visually-hidden">{t("matchesCaption")}</caption>
          <thead>
            <tr>
              <th scope="col" title={t("matchesDefinition")}><span class="defined">A ↔ B</span></th>
              <th scope="col" class="number" title={t("jsDefinition")}><span class="defined">{t("matchesDistance")}</span></th>
              <td />
            </tr>
          </thead>
          <tbody>
            {shown.map((one) => <MatchRow key={`${one.layer}.${one.head}`} one={one} />)}
          </tbody>
        </table>
      </div>
      {more}
      {matched.some(({ belowFloor }) => belowFloor) && <p class="caption muted">{t("changesFloor")}</p>}
    </div>
  );
}
