// One head large, with its token axes.
import { useEffect, useState } from "preact/hooks";
import { formatNumber } from "../base/format";
import { elide, tokenGlyphs } from "../base/tokens";
import type { TokenList } from "../data/types";
import { useApp } from "../frame/context";
import { FocusMap } from "../render/focus_map";
import type { CellMark, FocusData } from "../render/types";
import { language, t } from "../text/table";
import { useDrawing } from "./use_drawing";

interface Props {
  readonly label: string;
  readonly data: FocusData | null;
  readonly differenceLimit: number;
  readonly stale: boolean;
}

export function tokenName(tokens: TokenList | null, place: number): string {
  const text = tokens?.text[place];
  return text === undefined
    ? String(place)
    : elide(tokenGlyphs(text, tokens?.part[place] ?? 0, tokens?.parts[place] ?? 0), 24);
}

/** The cell under the pointer in words; also what a screen reader is told. */
function Readout({ data, mark }: { readonly data: FocusData | null; readonly mark: CellMark }): preact.JSX.Element {
  const { query, key } = mark;
  let text = "";
  if (data !== null && query !== null && key !== null) {
    text = t("weightAt", {
      query: tokenName(data.queryTokens, query),
      key: tokenName(data.keyTokens, key),
      weight: formatNumber(data.values[query * data.keys + key] ?? NaN),
    });
  }
  return (
    <output class="cell-readout" aria-label={t("readout")} dir="auto" data-testid="cell-readout">
      {text}
    </output>
  );
}

export function FocusHost({ label, data, differenceLimit, stale }: Props): preact.JSX.Element {
  const { store } = useApp();
  const [zoomed, setZoomed] = useState(false);
  const [host, map] = useDrawing(
    (element) =>
      new FocusMap(element, {
        hover: (cell) => {
          const before = store.hover.peek();
          if (cell === null && before.query === undefined && before.key === undefined) return;
          store.setHover({
            ...(typeof cell?.query === "number" ? { query: cell.query } : {}),
            ...(typeof cell?.key === "number" ? { key: cell.key } : {}),
          });
        },
        select: (cell) => store.lockToken(cell.query, cell.key),
        view: (view) => setZoomed(view.key > 0.5 || view.query > 0.5),
      }),
  );
  const { scale, peak, exposure, query, key } = store.selection.value;
  const dark = store.dark.value;
  const hover = store.hover.value;
  const hovered =
    hover.query === undefined && hover.key === undefined
      ? null
      : { query: hover.query ?? null, key: hover.key ?? null };
  useEffect(() => map?.setData(data), [map, data]);
  useEffect(() => {
    map?.setOptions({
      companding: scale,
      exposure,
      normalisation: peak,
      differenceLimit,
      dark,
      hovered,
      locked: query === null && key === null ? null : { query, key },
      queryTitle: t("query"),
      keyTitle: t("key"),
    });
  }, [map, scale, exposure, peak, differenceLimit, dark, hover.query, hover.key, query, key, language.value]);
  return (
    <div class="focus-frame" data-testid="focus-map" data-stale={stale}>
      <div ref={host} class="focus-canvas" role="img" aria-label={label} title={t("focusHint")} />
      <div class="focus-foot">
        <Readout data={data} mark={store.token.value} />
        {zoomed && (
          <button type="button" class="quiet" onClick={() => map?.fit()}>
            {t("fit")}
          </button>
        )}
      </div>
    </div>
  );
}
