// What the Attention view enters for the export menu: its pictures as figures, its numbers as tables.
import { useEffect } from "preact/hooks";
import { spanOf, spanText, type TokenAxis } from "../base/axis";
import { formatCount } from "../base/format";
import type { HeadRef, Overview, TokenList } from "../data/types";
import type { Table, TableCell } from "../exports/csv";
import type { Heading } from "../exports/figure";
import { windowOf } from "../exports/window";
import type { Exportable } from "../exports/registry";
import { useApp } from "../frame/context";
import type { FocusData, FocusOptions, FocusView, GridData, GridOptions } from "../render/types";
import type { PanelSpec, Store } from "../state/store";
import { elideMiddle, shownText } from "../text/format";
import { t } from "../text/table";

/** Keeps an entry of the export menu while its component is on screen. */
export function useExport(entries: readonly Exportable[]): void {
  const { store } = useApp();
  useEffect(() => {
    const leave = entries.map((entry) => store.onScreen.enter(entry));
    return () => leave.forEach((undo) => undo());
  });
}

/** Where a picture comes from, and what was done to it. */
export interface Origin {
  readonly panel: PanelSpec;
  /** Of a difference: the panel of A. */
  readonly against: PanelSpec | undefined;
  readonly caption: readonly string[];
}

const stepOf = (panel: PanelSpec | undefined): number => panel?.record?.step ?? panel?.wantedStep ?? 0;
const nameOf = (store: Store): string => shownText(store.resolved.peek().name ?? "");

/** A panel's name in the menu. */
export function panelTitle(panel: PanelSpec): string {
  if (panel.side === "difference") return t("panelDifference");
  const run = elideMiddle(panel.run, 40);
  return panel.side === "run" ? run : `${panel.side} · ${run}`;
}

/** "run · step 100 · example 0", or both sides of a difference. */
export function placeText(store: Store, { panel, against }: Origin): string {
  const { example } = store.resolved.peek();
  const [run, step] = [shownText(panel.run), formatCount(stepOf(panel))];
  if (panel.side !== "difference") return t("exportPlace", { run, step, example });
  const a = { runA: shownText(against?.run ?? ""), stepA: formatCount(stepOf(against)) };
  return t("exportDifference", { ...a, runB: run, stepB: step, example });
}

export function fileParts(store: Store, { panel, against }: Origin, what: string): string[] {
  const { example, name } = store.resolved.peek();
  const sides = panel.side === "difference" ? [`B-minus-A ${against?.run ?? ""} step ${stepOf(against)}`] : [];
  return [...sides, panel.run, name ?? "", `step ${stepOf(panel)}`, `example ${example}`, what];
}

type Colours = Pick<FocusOptions, "companding" | "exposure" | "normalisation">;

/** What the colours of a map stand for. */
export function scaleText({ companding, exposure, normalisation }: Colours, signed: boolean, grid: boolean): string {
  const what = signed ? "exportChange" : grid && normalisation === "head" ? "exportShare" : "exportWeight";
  const parts = [t(what), t(companding === "sqrt" ? "exportSqrt" : "exportLinear")];
  return [...parts, ...(exposure === 1 ? [] : [t("exportExposed", { n: exposure })])].join(" · ");
}

/** A file for print may be light while the page is dark. */
export const darkFor = (store: Store, dark: boolean): boolean => dark && !store.exportLight.peek();

function edgesText({ edges }: FocusData): string[] {
  return edges === null ? [] : [t("exportEdges", { n: edges.percent })];
}

/** What hatching over cells of a map stands for; where storing alone could have made a difference, it says so itself. */
export function paddingText({ queryMask, keyMask }: FocusData): string[] {
  const padded = [queryMask, keyMask].some((mask) => mask?.includes(0) === true);
  return padded ? [t("exportHatched", { what: t("padding") })] : [];
}

function partText(data: FocusData, view: FocusView | null): string[] {
  if (view === null) return [];
  const part = windowOf(data, view);
  if (part.keys === data.keys && part.queries === data.queries) return [];
  const edge = (axis: TokenAxis, cell: number): number => spanOf(axis, cell).first;
  return [
    t("exportPart", {
      firstQuery: edge(data.queryAxis, part.query),
      lastQuery: spanOf(data.queryAxis, part.query + part.queries - 1).last,
      firstKey: edge(data.keyAxis, part.key),
      lastKey: spanOf(data.keyAxis, part.key + part.keys - 1).last,
    }),
  ];
}

export interface FocusShown {
  readonly data: FocusData;
  readonly options: FocusOptions;
  readonly view: () => FocusView | null;
  /** What the map is, where it is not the attention weights; "" = it is. */
  readonly lens: string;
}

export function focusEntry(store: Store, origin: Origin, at: HeadRef, { data, options, view, lens }: FocusShown): Exportable {
  const heading = (): Heading => ({
    title: t("exportHead", { name: nameOf(store), ...at }),
    subtitle: placeText(store, origin),
    caption: [...(lens === "" ? [] : [lens]), ...origin.caption, ...paddingText(data), ...edgesText(data), ...partText(data, view())].join(" · "),
  });
  return {
    id: `focus ${origin.panel.id} ${lens}`.trimEnd(),
    section: "focus",
    title: [panelTitle(origin.panel), ...(lens === "" ? [] : [lens])].join(" · "),
    parts: fileParts(store, origin, `layer ${at.layer} head ${at.head} ${lens}`.trimEnd()),
    // Loaded when it is wanted: few visits save a picture.
    figure: async (measure) =>
      (await import("../exports/figure_focus")).focusFigure(
        {
          data,
          options: { ...options, dark: darkFor(store, options.dark), hovered: null },
          view: view(),
          heading: heading(),
          scale: scaleText(options, data.signed, false),
        },
        measure,
      ),
    table: () => weightsTable(data),
    array: { axes: t("exportMapAxes"), make: () => ({ shape: [data.queries, data.keys], values: data.values }) },
  };
}

export function gridEntry(store: Store, origin: Origin, data: GridData, options: GridOptions): Exportable {
  return {
    id: `grid ${origin.panel.id}`,
    section: "grid",
    title: panelTitle(origin.panel),
    parts: fileParts(store, origin, "all heads"),
    figure: async (measure) =>
      (await import("../exports/figure_grid")).gridFigure(
        {
          data,
          options: { ...options, dark: darkFor(store, options.dark), hovered: null },
          heading: { title: t("exportAllHeads", { name: nameOf(store) }), subtitle: placeText(store, origin), caption: origin.caption.join(" · ") },
          scale: scaleText(options, options.mode === "diff", true),
          headTitle: t("head"),
          layerTitle: t("layer"),
        },
        measure,
      ),
  };
}

/** A token as it was logged; a NUL would end the file for some readers. */
export function rawToken(tokens: TokenList | null, place: number): string {
  return (tokens?.text[place] ?? "").replaceAll("\0", "\u2400");
}

function axisNames(tokens: TokenList | null, axis: TokenAxis): string[] {
  return Array.from({ length: axis.cells }, (_, cell) => {
    const span = spanOf(axis, cell);
    return `${spanText(span).replace("–", "-")} ${rawToken(tokens, span.first)}`.trimEnd();
  });
}

/** A row per query, a column per key; each is named by its position and its (first) token. */
export function weightsTable({ queryTokens, keyTokens, queryAxis, keyAxis, queryMask, values, keys, queries, aside }: FocusData): Table {
  const padded = queryMask !== null;
  const mass = aside?.mass ?? null;
  const rows = Array.from({ length: queries }, (_, row): TableCell[] => {
    const span = spanOf(queryAxis, row);
    return [
      span.first === span.last ? span.first : spanText(span).replace("–", "-"),
      rawToken(queryTokens, span.first),
      ...(padded ? [queryMask[row] === 0 ? 1 : 0] : []),
      ...(mass === null ? [] : [mass[row] ?? NaN]),
      ...values.subarray(row * keys, (row + 1) * keys),
    ];
  });
  return { header: ["query", "query token", ...(padded ? ["padding"] : []), ...(mass === null ? [] : ["set aside"]), ...axisNames(keyTokens, keyAxis)], rows };
}

interface Column {
  readonly run: string;
  readonly side: string;
  readonly step: number;
  readonly overview: Overview | undefined;
}

/** One row per run (or side), layer and head, one column per statistic; of one head where it is given. */
export function statisticsTable(columns: readonly Column[], at: HeadRef | null): Table {
  const names = [...new Set(columns.flatMap(({ overview }) => overview?.statisticNames ?? []))];
  const rows = columns.flatMap(({ run, side, step, overview }) =>
    (overview?.layers ?? []).flatMap((layer) =>
      layer.heads.flatMap((head, place): TableCell[][] => {
        if (at !== null && (at.layer !== layer.layer || at.head !== head)) return [];
        const width = overview?.statisticNames.length ?? 0;
        const values = names.map((name) => {
          const column = overview?.statisticNames.indexOf(name) ?? -1;
          return column < 0 ? null : (layer.statistics[place * width + column] ?? null);
        });
        return [[run, side, step, layer.layer, layer.label, head, ...values]];
      }),
    ),
  );
  return { header: ["run", "side", "step", "layer", "layer name", "head", ...names], rows };
}
