// What the strips of one run enter for the export menu: the tokens in their colours, as a figure.
import { formatCount, formatNumber, formatPercent } from "../base/format";
import type { AttributionStepInfo } from "../data/types";
import type { FigureStrip, Shade, StripToken } from "../exports/figure_strips";
import type { Exportable } from "../exports/registry";
import type { NormName } from "../state/selection";
import type { Store } from "../state/store";
import { completeness, scoreInk } from "../state/strips";
import { elideMiddle, shownText } from "../text/format";
import { t } from "../text/table";
import { darkFor } from "./exporting";
import { MOST_TOKENS, partText, stripParts, targetText, verdictText } from "./strip_text";

export interface StripsShown {
  readonly run: string;
  readonly strips: readonly AttributionStepInfo[];
  readonly chosen: AttributionStepInfo | undefined;
  /** Steps that were logged: of very many, only some are shown. */
  readonly all: number;
  readonly norm: NormName;
  readonly folded: boolean;
  readonly withTarget: boolean;
  readonly scaleOf: (strip: AttributionStepInfo) => number;
  readonly method: string;
}

const BAR_COLOURS = 65;

/** Of the first letter that has a direction. */
export function readsLeftwards(texts: readonly string[]): boolean {
  const letter = /\p{L}/u.exec(texts.join(" "))?.[0] ?? "";
  return /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter);
}

function tokensOf(strip: AttributionStepInfo, { folded, scaleOf }: StripsShown, dark: boolean): StripToken[] {
  const scale = scaleOf(strip);
  return stripParts(strip, folded).map((part) => ({
    text: partText(strip, part),
    ink: scoreInk(part.score, scale, dark),
    kind: part.length > 1 ? "folded" : Number.isFinite(part.score) ? "plain" : "broken",
  }));
}

function stripOf(strip: AttributionStepInfo, shown: StripsShown, dark: boolean): FigureStrip {
  const found = completeness(strip.scores, strip.delta, strip.output, strip.baselineOutput);
  const tokens = tokensOf(strip, shown, dark);
  return {
    step: formatCount(strip.step),
    tokens,
    tail: [...(strip.scores.length > MOST_TOKENS ? ["…"] : []), ...(shown.withTarget ? [`→ ${targetText(strip)}`] : [])],
    verdict: found === undefined ? "" : verdictText(found),
    chosen: strip === shown.chosen,
    leftwards: readsLeftwards(strip.tokens?.text.slice(0, 200) ?? []),
  };
}

export function stripsEntry(store: Store, shown: StripsShown): Exportable {
  const { run, strips, norm, all } = shown;
  const { attribution, example } = store.resolved.peek();
  const title = elideMiddle(run, 60);
  return {
    id: `strips ${run}`,
    section: "strips",
    title,
    parts: [run, attribution ?? "", `example ${example}`, "scores"],
    figure: async (measure) => {
      const { stripsFigure } = await import("../exports/figure_strips");
      const dark = darkFor(store, store.dark.peek());
      const peak = norm === "all" && strips[0] !== undefined ? formatNumber(shown.scaleOf(strips[0])) : formatPercent(1);
      const shades = Array.from({ length: BAR_COLOURS }, (_, i): Shade | null => scoreInk((2 * i) / (BAR_COLOURS - 1) - 1, 1, dark));
      return stripsFigure(
        {
          strips: strips.map((strip) => stripOf(strip, shown, dark)),
          bar: { shades, ticks: [{ at: 0, text: `−${peak}` }, { at: 0.5, text: "0" }, { at: 1, text: peak }], label: t(norm === "all" ? "exportScore" : "exportScoreShare") },
          heading: { title: `${shownText(attribution ?? "")} · ${title}`, subtitle: shown.method, caption: [t("headsExample", { n: example }), t("exportSigns")].join(" · ") },
          // Where not all of the steps that were logged are drawn.
          fitText: (drawn) => (drawn < all ? t("exportStripsFit", { shown: drawn, n: all }) : ""),
          stepTitle: t("stepColumn"),
          dark,
        },
        measure,
      );
    },
  };
}
