// The most redundant heads first: each with the most similar head of the same record.
import { formatCount, formatNumber } from "../../base/format";
import { similarKey, type SimilarData } from "../../data/similar";
import { useApp } from "../../frame/context";
import { Failure, Refusal } from "../../frame/failure";
import { TOP_COUNTS } from "../../state/heads";
import { mostAlike, type AlikeHead } from "../../state/similar";
import { t } from "../../text/table";
import { useExport } from "../exporting";
import { Choice } from "../toolbar";
import { percentOf, shareOf } from "./bars";
import { HeadButton } from "./finder";
import { sameHead, useChange } from "./focus";
import { alikeEntry, type AlikeOf } from "./list_entries";

/** What stands in the place of the list; null = it can be shown. */
function useObstacle(data: SimilarData | undefined): preact.JSX.Element | null {
  const { store, similar, loader } = useApp();
  const { error } = similar.answers.value;
  const { run } = store.resolved.value;
  if (similar.inHeads.value === null) return <p class="placeholder">{t("alikeNoRecord", { run: run ?? "–" })}</p>;
  if (data !== undefined && data.error !== null) return <Refusal text={t("similarFailed", { reason: data.error })} />;
  if (data === undefined && error !== null) return <Failure text={t("similarFailed", { reason: error })} retry={() => loader.retry()} />;
  if (data !== undefined) return data.heads.size === 0 ? <p class="placeholder">{t("alikeNone")}</p> : null;
  return <p class="placeholder" role="status">{store.playing.value ? t("similarWaiting") : `${t("similarBusy")} …`}</p>;
}

function Row({ one, of }: { readonly one: AlikeHead; readonly of: number }): preact.JSX.Element {
  const { store } = useApp();
  return (
    <tr data-chosen={sameHead(store.lockedHead.value, one)} data-floor={one.belowFloor} data-testid="alike-row">
      <th scope="row"><HeadButton at={one} /></th>
      <td><HeadButton at={one.other} /></td>
      <td class="number muted" title={t("findRankOf", { k: one.rank, n: of })}>{formatCount(one.rank)}</td>
      <td class="number" title={one.belowFloor ? t("belowFloor") : undefined}>{formatNumber(one.distance)}</td>
      <td class="bar-cell" aria-hidden="true"><span class="bar" style={{ width: percentOf(shareOf(one.distance, 1)) }} /></td>
    </tr>
  );
}

export function MostAlike(): preact.JSX.Element {
  const { store, similar } = useApp();
  const { value, busy } = similar.answers.value;
  const ref = similar.inHeads.value;
  const data = ref === null ? undefined : value?.get(similarKey(ref));
  const obstacle = useObstacle(data);
  if (obstacle !== null || data === undefined || ref === null) return obstacle ?? <p />;
  const ranked = mostAlike(data);
  if (ranked.length === 0) return <p class="placeholder">{t("alikeNone")}</p>;
  const of = ref.example === null ? t("alikeMean", { n: data.examples }) : t("headsExample", { n: ref.example });
  return <AlikeList alike={{ run: store.resolved.value.run ?? "–", ref, data, of }} ranked={ranked} busy={busy} />;
}

interface AlikeListProps {
  readonly alike: AlikeOf;
  readonly ranked: readonly AlikeHead[];
  readonly busy: boolean;
}

function AlikeList({ alike, ranked, busy }: AlikeListProps): preact.JSX.Element {
  const { store } = useApp();
  const change = useChange();
  const { run, ref, of } = alike;
  const { top } = store.selection.value.heads;
  const shown = ranked.slice(0, top);
  const at = store.lockedHead.value;
  const mine = at === null ? undefined : ranked.find((one) => sameHead(one, at));
  const rows = mine === undefined || shown.includes(mine) ? shown : [...shown, mine];
  useExport([alikeEntry(store, alike, { shown: rows, all: ranked })]);
  return (
    <div class="alike" aria-busy={busy}>
      <div class="group">
        <Choice label={t("findTop")} quiet value={top} options={TOP_COUNTS} testId="alike-top" name={(n) => t("findTopN", { n })}
          onChange={(count) => change({ top: count })} />
      </div>
      <div class="tool-scroll" tabIndex={0} role="region" aria-label={t("toolAlike")}>
        <table data-testid="alike">
          <caption class="caption" title={t("similarDefinition")}>
            {t("alikeCaption", { run, step: formatCount(ref.step), of })}
          </caption>
          <thead>
            <tr>
              <th scope="col">{t("findHead")}</th>
              <th scope="col">{t("alikeOther")}</th>
              <th scope="col" class="number">{t("findRank")}</th>
              <th scope="col" class="number" title={t("similarDefinition")}><span class="defined">{t("jsDistance")}</span></th>
              <td />
            </tr>
          </thead>
          <tbody>{rows.map((one) => <Row key={`${one.layer}.${one.head}`} one={one} of={ranked.length} />)}</tbody>
        </table>
      </div>
    </div>
  );
}
