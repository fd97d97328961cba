// One head large, with its token axes.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { cellOf, spanOf, type TokenAxis } from "../base/axis";
import { useApp } from "../frame/context";
import { FocusMap } from "../render/focus_map";
import type { HeadRef } from "../data/types";
import type { CellMark, FocusData, FocusOptions, FocusRoom } from "../render/types";
import { focusEntry, paddingText, useExport, type Origin } from "./exporting";
import type { Movable } from "../state/viewport";
import { readoutText } from "./readout";
import { language, t } from "../text/table";
import { useAlignment } from "./use_alignment";
import { useDrawing } from "./use_drawing";

interface Props {
  readonly label: string;
  readonly data: FocusData | null;
  readonly differenceLimit: number;
  readonly stale: boolean;
  /** The picture is the last head's, until that of this one has come. */
  readonly foreign: boolean;
  /** Of a difference: storing alone could have made all of it. */
  readonly belowFloor?: boolean;
  /** What else has to be known about the picture. */
  readonly note?: string | undefined;
  /** Not weights: "up to 1" means nothing, and the largest value is the end of the scale. */
  readonly ownScale?: boolean;
  /** For the export menu: which head of what this is. */
  readonly shownAs?: { readonly origin: Origin; readonly at: HeadRef; readonly lens?: string } | undefined;
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

/** The cell or row under the pointer in words; also what a screen reader is told. */
function Readout({ data, mark, foreign }: ReadoutProps): preact.JSX.Element {
  const row = cellIn(data?.queryAxis, mark.query);
  const column = cellIn(data?.keyAxis, mark.key);
  const text = data === null || foreign ? "" : readoutText(data, row, column);
  return (
    <output class="cell-readout" aria-label={t("readout")} dir="auto" title={text === "" ? undefined : text} data-testid="cell-readout">
      {text}
    </output>
  );
}

export function FocusHost({ label, data, differenceLimit, stale, foreign, belowFloor = false, note, ownScale = false, shownAs }: Props): preact.JSX.Element {
  const { store } = useApp();
  const [height, setHeight] = useState(0);
  const [room, setRoom] = useState<FocusRoom>({ left: 0, top: 0 });
  const leastLeft = useAlignment(store.aligned.left, room.left);
  const leastTop = useAlignment(store.aligned.top, room.top);
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
        view: (view) => store.viewports.move(view),
        height: setHeight,
        room: setRoom,
      }),
  );
  const { scale, peak, exposure, query, key } = store.selection.value;
  const dark = store.dark.value;
  const hover = store.hover.value;
  const marked = (at: number | null | undefined, other: number | null | undefined): CellMark | null => {
    const mark = { query: cellIn(data?.queryAxis, at), key: cellIn(data?.keyAxis, other) };
    return mark.query === null && mark.key === null ? null : mark;
  };
  useLayoutEffect(() => map?.setData(data), [map, data]);
  const first = shownAs !== undefined && shownAs.origin.panel.id === store.panels.value[0]?.id;
  useLayoutEffect(() => {
    if (first && data !== null) store.axes.value = { query: data.queryAxis, key: data.keyAxis };
  }, [first, data, store]);
  const viewport = store.viewports.shown.value;
  useLayoutEffect(() => map?.setView(viewport), [map, viewport]);
  useEffect(() => {
    if (map === null) return;
    const movable = (): Movable => {
      const now = shown.current;
      const cells = now === null ? 0 : now.queries * now.keys;
      return { cells, zoom: (factor) => map.zoom(factor), pan: (across, down) => map.pan(across, down) };
    };
    const entry = store.viewports.add(movable);
    return () => entry.dispose();
  }, [map, store]);
  const options: FocusOptions = {
    companding: scale,
    exposure,
    normalisation: ownScale ? "head" : peak,
    belowFloor,
    differenceLimit,
    dark,
    hovered: marked(hover.query, hover.key),
    locked: marked(query, key),
    queryTitle: t("query"),
    keyTitle: t("key"),
    asideTitle: t("asideAxis"),
    leastLeft,
    leastTop,
  };
  useExport(
    data === null || shownAs === undefined || stale || foreign
      ? []
      : [focusEntry(store, shownAs.origin, shownAs.at, { data, options, lens: shownAs.lens ?? "", view: () => map?.view() ?? null })],
  );
  useLayoutEffect(() => {
    map?.setOptions(options);
  }, [map, scale, exposure, peak, belowFloor, differenceLimit, dark, hover.query, hover.key, query, key, data, ownScale, leastLeft, leastTop, language.value]);
  return (
    <div class="focus-frame" data-testid="focus-map" data-stale={stale} style={{ "--wanted": `${height}px` }}>
      <div ref={host} class="focus-canvas" role="img" aria-label={label} title={t("focusHint")} />
      <div class="focus-foot">
        <div class="focus-said">
          <Readout data={data} mark={store.token.value} foreign={foreign} />
          {data !== null && paddingText(data).map((said) => <span key={said} class="muted" data-testid="hatched-padding">{said}</span>)}
        </div>
        {belowFloor && <span class="muted" title={t("hatchMeaning")} data-testid="below-floor">{t("belowFloor")}</span>}
        {note !== undefined && <span class="muted">{note}</span>}
        {viewport !== null && (
          <button type="button" class="quiet" onClick={() => store.viewports.move(null)}>
            {t("fit")}
          </button>
        )}
      </div>
    </div>
  );
}
