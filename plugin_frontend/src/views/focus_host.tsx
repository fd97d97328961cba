// One head large, with its token axes.
import { useEffect, useRef, useState } from "preact/hooks";
import { formatCount, formatNumber } from "../base/format";
import { cellOf, spanOf, type TokenAxis } from "../base/axis";
import { useApp } from "../frame/context";
import { FocusMap } from "../render/focus_map";
import type { CellMark, FocusData } from "../render/types";
import { blockValue, spanName, tokenName } from "./spans";
import { language, t } from "../text/table";
import { useDrawing } from "./use_drawing";

const LONG_TEXT = 256;

interface Props {
  readonly label: string;
  readonly data: FocusData | null;
  readonly differenceLimit: number;
  readonly stale: boolean;
  /** The picture is the last head's, until that of this one has come. */
  readonly foreign: boolean;
  /** What has to be known about the picture. */
  readonly note?: string | undefined;
}

/** The cell of a position, where it is in the picture. */
function cellIn(axis: TokenAxis | undefined, position: number | null | undefined): number | null {
  return axis === undefined || typeof position !== "number" ? null : cellOf(axis, position);
}

/** The position that a cell stands for: of a block, its first. */
function positionOf(axis: TokenAxis, cell: number | null): number | null {
  return cell === null ? null : spanOf(axis, cell).first;
}

interface ReadoutProps {
  readonly data: FocusData | null;
  /** Positions in the text. */
  readonly mark: CellMark;
  /** The picture is of another head. */
  readonly foreign: boolean;
}

function cellText(data: FocusData, row: number, column: number): string {
  const { queryAxis, keyAxis, queryTokens, keyTokens, pool } = data;
  const weight = formatNumber(data.values[row * data.keys + column] ?? NaN);
  if (pool !== null) {
    const [query, key] = [spanName(queryTokens, queryAxis, row), spanName(keyTokens, keyAxis, column)];
    return t("blockAt", { query, key, what: t(blockValue(pool, data.signed)), weight });
  }
  const [query, key] = [spanOf(queryAxis, row).first, spanOf(keyAxis, column).first];
  const norm = data.valueNorms?.[key];
  const names = { query: tokenName(queryTokens, query), key: tokenName(keyTokens, key), weight };
  // In a long text the same token comes many times.
  const long = (queryTokens !== null || keyTokens !== null) && Math.max(queryAxis.size, keyAxis.size) > LONG_TEXT;
  const said = long
    ? t("weightAtPlaces", { ...names, row: formatCount(query), column: formatCount(key) })
    : t("weightAt", names);
  return norm === undefined ? said : `${said} · ${t("valueNorm", { norm: formatNumber(norm) })}`;
}

/** The cell under the pointer in words; also what a screen reader is told. */
function Readout({ data, mark, foreign }: ReadoutProps): preact.JSX.Element {
  const row = cellIn(data?.queryAxis, mark.query);
  const column = cellIn(data?.keyAxis, mark.key);
  const text = data === null || foreign || row === null || column === null ? "" : cellText(data, row, column);
  return (
    <output class="cell-readout" aria-label={t("readout")} dir="auto" data-testid="cell-readout">
      {text}
    </output>
  );
}

export function FocusHost({ label, data, differenceLimit, stale, foreign, note }: Props): preact.JSX.Element {
  const { store } = useApp();
  const [zoomed, setZoomed] = useState(false);
  const [height, setHeight] = useState(0);
  // The drawing counts its own cells; the application counts tokens.
  const shown = useRef(data);
  shown.current = data;
  const positions = (cell: CellMark): CellMark => {
    const now = shown.current;
    if (now === null) return { query: null, key: null };
    return { query: positionOf(now.queryAxis, cell.query), key: positionOf(now.keyAxis, cell.key) };
  };
  const [host, map] = useDrawing(
    (element) =>
      new FocusMap(element, {
        hover: (cell) => {
          const before = store.hover.peek();
          if (cell === null && before.query === undefined && before.key === undefined) return;
          const at = cell === null ? { query: null, key: null } : positions(cell);
          store.setHover({
            ...(at.query === null ? {} : { query: at.query }),
            ...(at.key === null ? {} : { key: at.key }),
          });
        },
        select: (cell) => {
          const { query: row, key: column } = positions(cell);
          store.lockToken(row, column);
        },
        view: (view) => setZoomed(view.key > 0.5 || view.query > 0.5),
        height: setHeight,
      }),
  );
  const { scale, peak, exposure, query, key } = store.selection.value;
  const dark = store.dark.value;
  const hover = store.hover.value;
  const marked = (at: number | null | undefined, other: number | null | undefined): CellMark | null => {
    const mark = { query: cellIn(data?.queryAxis, at), key: cellIn(data?.keyAxis, other) };
    return mark.query === null && mark.key === null ? null : mark;
  };
  useEffect(() => map?.setData(data), [map, data]);
  useEffect(() => {
    map?.setOptions({
      companding: scale,
      exposure,
      normalisation: peak,
      differenceLimit,
      dark,
      hovered: marked(hover.query, hover.key),
      locked: marked(query, key),
      queryTitle: t("query"),
      keyTitle: t("key"),
    });
  }, [map, scale, exposure, peak, differenceLimit, dark, hover.query, hover.key, query, key, data, language.value]);
  return (
    <div class="focus-frame" data-testid="focus-map" data-stale={stale} style={{ "--wanted": `${height}px` }}>
      <div ref={host} class="focus-canvas" role="img" aria-label={label} title={t("focusHint")} />
      <div class="focus-foot">
        <Readout data={data} mark={store.token.value} foreign={foreign} />
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
