// One head large, with its token axes.
import { useLayoutEffect } from "preact/hooks";
import { useApp } from "../frame/context";
import type { HeadRef } from "../data/types";
import type { CellMark, FocusData, FocusOptions } from "../render/types";
import { focusEntry, paddingText, useExport, type Origin } from "./exporting";
import { readoutText } from "./readout";
import { language, t } from "../text/table";
import { useAlignment } from "./use_alignment";
import { cellIn, useFocusMap } from "./use_focus_map";

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

export function FocusHost({ label, data: given, differenceLimit, stale: awaited, foreign: ofAnother, belowFloor = false, note, ownScale = false, shownAs }: Props): preact.JSX.Element {
  const { store } = useApp();
  const { host, map, shown: data, height, room } = useFocusMap(given);
  const [stale, foreign] = [awaited || data !== given, ofAnother || data !== given];
  const leastLeft = useAlignment(store.aligned.left, room.left);
  const leastTop = useAlignment(store.aligned.top, room.top);
  const { scale, peak, exposure, query, key } = store.selection.value;
  const dark = store.dark.value;
  const hover = store.hover.value;
  const marked = (at: number | null | undefined, other: number | null | undefined): CellMark | null => {
    const mark = { query: cellIn(data?.queryAxis, at), key: cellIn(data?.keyAxis, other) };
    return mark.query === null && mark.key === null ? null : mark;
  };
  const first = shownAs !== undefined && shownAs.origin.panel.id === store.panels.value[0]?.id;
  useLayoutEffect(() => {
    if (first && data !== null) store.axes.value = { query: data.queryAxis, key: data.keyAxis };
  }, [first, data, store]);
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
        {store.viewports.shown.value !== null && (
          <button type="button" class="quiet" onClick={() => store.viewports.move(null)}>
            {t("fit")}
          </button>
        )}
      </div>
    </div>
  );
}
