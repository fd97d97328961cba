// The most similar head of the head in focus, one cell per panel.
import { useEffect, useRef } from "preact/hooks";
import { formatCount, formatNumber } from "../base/format";
import { similarKey } from "../data/similar";
import type { HeadRef, Overview } from "../data/types";
import { useApp } from "../frame/context";
import { similarFact, similarWork, type SimilarFact } from "../state/similar";
import { t } from "../text/table";
import type { FactColumn } from "./head_facts";

type Cell = SimilarFact | { readonly kind: "none" | "loading" | "waiting" } | { readonly kind: "ask"; readonly overview: Overview };

function useCells(columns: readonly FactColumn[], at: HeadRef): readonly Cell[] {
  const { similar, store } = useApp();
  const { value, error } = similar.answers.value;
  return columns.map(({ overview, at: own }): Cell => {
    if (overview?.error !== null) return { kind: "none" };
    const known = value?.get(similarKey(overview.ref));
    if (known !== undefined) return similarFact(known, own ?? at);
    if (similar.isHeldBack(overview)) return { kind: "ask", overview };
    if (store.playing.value) return { kind: "waiting" };
    return error === null ? { kind: "loading" } : { kind: "failed", reason: error };
  });
}

/** Why a cell holds no number. */
function reasonOf(cell: Cell): string | null {
  switch (cell.kind) {
    case "alone":
      return t("similarAlone");
    case "blocks":
      return t("similarBlocks");
    case "waiting":
      return t("similarWaiting");
    case "failed":
      return t("similarFailed", { reason: cell.reason });
    default:
      return null;
  }
}

function Value({ cell }: { readonly cell: Cell }): preact.JSX.Element {
  const { similar, store } = useApp();
  switch (cell.kind) {
    case "known": {
      const { other, distance, belowFloor } = cell;
      const name = t("similarShow", { layer: other.layer, head: other.head });
      // No preview: under the pointer the row would become that of the other head.
      return (
        <>
          <button type="button" class="quiet similar-head" title={name} aria-label={name} data-testid="similar-head"
            onClick={() => store.update({ layer: other.layer, head: other.head })}>
            {t("headShort", { ...other })}
          </button>{" "}
          {formatNumber(distance)}
          {belowFloor ? ` (${t("belowFloor")})` : ""}
        </>
      );
    }
    case "ask": {
      const { overview } = cell;
      return (
        <button type="button" title={t("similarAskTitle")} data-testid="similar-ask" onClick={() => similar.ask(overview.ref)}>
          {t("similarAsk", { n: formatCount(similarWork(overview).heads) })}
        </button>
      );
    }
    case "loading":
      return <span aria-label={t("similarBusy")} title={t("similarBusy")}>…</span>;
    default:
      return <>–</>;
  }
}

export function SimilarRow({ columns, at }: { readonly columns: readonly FactColumn[]; readonly at: HeadRef }): preact.JSX.Element {
  const { similar, loader } = useApp();
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (row.current === null) return undefined;
    // Often below the fold; comparing every head with every other is not for nobody.
    const seen = new IntersectionObserver((entries) => (similar.shown.value = entries.some((entry) => entry.isIntersecting)));
    seen.observe(row.current);
    return () => {
      seen.disconnect();
      similar.shown.value = false;
    };
  }, [similar]);
  const cells = useCells(columns, at);
  const reasons = [...new Set(cells.flatMap((cell) => reasonOf(cell) ?? []))];
  const failed = similar.answers.value.error !== null;
  return (
    <tr ref={row} data-testid="similar">
      <th scope="row" title={t("similarDefinition")}>
        <span class="defined">{t("similarName")}</span>
        {reasons.map((reason) => (
          <small key={reason} class="muted reason" dir="auto">
            {reason}
          </small>
        ))}
        {failed && <button type="button" class="quiet" onClick={() => loader.retry()}>{t("retry")}</button>}
      </th>
      {cells.map((cell, i) => (
        <td key={columns[i]?.id ?? i} class="number" data-statistic="similar" data-state={cell.kind}>
          <Value cell={cell} />
        </td>
      ))}
    </tr>
  );
}
