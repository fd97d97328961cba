// One head large, with its token axes.
import { useEffect, useRef, useState } from "preact/hooks";
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
  /** What has to be known about the picture. */
  readonly note?: string | undefined;
}

export function tokenName(tokens: TokenList | null, place: number): string {
  const text = tokens?.text[place];
  return text === undefined
    ? String(place)
    : elide(tokenGlyphs(text, tokens?.part[place] ?? 0, tokens?.parts[place] ?? 0), 24);
}

interface ReadoutProps {
  readonly data: FocusData | null;
  readonly mark: CellMark;
  readonly stale: boolean;
}

/** The cell under the pointer in words; also what a screen reader is told. */
function Readout({ data, mark, stale }: ReadoutProps): preact.JSX.Element {
  const { query, key } = mark;
  let text = "";
  const row = (query ?? -1) - (data?.firstQuery ?? 0);
  // Padding is not in the picture, and a preview knows nothing of it.
  const known = row >= 0 && row < (data?.queries ?? 0) && !(stale && data?.queryMask?.[row] === 0);
  if (data !== null && query !== null && key !== null && known) {
    text = t("weightAt", {
      query: data.queryTokens === null ? String(query) : tokenName(data.queryTokens, row),
      key: tokenName(data.keyTokens, key),
      weight: formatNumber(data.values[row * data.keys + key] ?? NaN),
    });
  }
  return (
    <output class="cell-readout" aria-label={t("readout")} dir="auto" data-testid="cell-readout">
      {text}
    </output>
  );
}

export function FocusHost({ label, data, differenceLimit, stale, note }: Props): preact.JSX.Element {
  const { store } = useApp();
  const [zoomed, setZoomed] = useState(false);
  const [height, setHeight] = useState(0);
  // The drawing counts its own rows; the application counts tokens.
  const first = useRef(0);
  const firstQuery = data?.firstQuery ?? 0;
  first.current = firstQuery;
  const [host, map] = useDrawing(
    (element) =>
      new FocusMap(element, {
        hover: (cell) => {
          const before = store.hover.peek();
          if (cell === null && before.query === undefined && before.key === undefined) return;
          store.setHover({
            ...(typeof cell?.query === "number" ? { query: cell.query + first.current } : {}),
            ...(typeof cell?.key === "number" ? { key: cell.key } : {}),
          });
        },
        select: ({ query, key }) => store.lockToken(query === null ? null : query + first.current, key),
        view: (view) => setZoomed(view.key > 0.5 || view.query > 0.5),
        height: setHeight,
      }),
  );
  const { scale, peak, exposure, query, key } = store.selection.value;
  const dark = store.dark.value;
  const hover = store.hover.value;
  const marked = (at: number | null, other: number | null): CellMark | null =>
    at === null && other === null ? null : { query: at === null ? null : at - firstQuery, key: other };
  useEffect(() => map?.setData(data), [map, data]);
  useEffect(() => {
    map?.setOptions({
      companding: scale,
      exposure,
      normalisation: peak,
      differenceLimit,
      dark,
      hovered: marked(hover.query ?? null, hover.key ?? null),
      locked: marked(query, key),
      queryTitle: t("query"),
      keyTitle: t("key"),
    });
  }, [map, scale, exposure, peak, differenceLimit, dark, hover.query, hover.key, query, key, firstQuery, language.value]);
  return (
    <div class="focus-frame" data-testid="focus-map" data-stale={stale} style={{ "--wanted": `${height}px` }}>
      <div ref={host} class="focus-canvas" role="img" aria-label={label} title={t("focusHint")} />
      <div class="focus-foot">
        <Readout data={data} mark={store.token.value} stale={stale} />
        {note !== undefined && <span class="muted">{note}</span>}
        {zoomed && (
          <button type="button" class="quiet" onClick={() => map?.fit()}>
            {t("fit")}
          </button>
        )}
      </div>
    </div>
  );
}
