// The finder, the most similar, the most changed and the matched heads in the export menu. Names of columns are
// the same in every language: programs read them.
import { formatCount, formatNumber } from "../../base/format";
import type { ChangesData } from "../../data/heads";
import type { SimilarData, SimilarRef } from "../../data/similar";
import type { HeadRef } from "../../data/types";
import type { Table, TableCell } from "../../exports/csv";
import type { FigureBar } from "../../exports/figure_table";
import type { Exportable } from "../../exports/registry";
import { ordinalAt } from "../../state/catalog";
import { spreadAt, valueAt, withoutMatch, type ChangedHead, type MatchedHead, type RankedHead, type RunHeads } from "../../state/heads";
import type { Pin } from "../../state/selection";
import type { AlikeHead } from "../../state/similar";
import type { Store } from "../../state/store";
import { elideMiddle, shownText } from "../../text/format";
import { statisticDefinition, statisticName, t } from "../../text/table";
import { formatStatistic } from "../head_facts";
import { listEntry } from "../lists";
import { shareOf } from "./bars";
import { MOST_NAME, placeText } from "./figures";
import { sameHead, type HeadsShown } from "./focus";
import { headArray, matchArray } from "./head_array";

/** Rows on screen, and all of them in the same order. */
export interface Rows<Row> {
  readonly shown: readonly Row[];
  readonly all: readonly Row[];
}

const barTo = (value: number, longest: number): FigureBar => ({ start: 0, length: shareOf(value, longest), minus: false });
const exampleCell = (example: number | null): TableCell => example ?? "mean";
const exampleName = (example: number | null): string => (example === null ? "mean of examples" : `example ${example}`);
const nameOf = (store: Store): string => store.resolved.peek().name ?? "";
const chosenIn = (store: Store, one: HeadRef): boolean => sameHead(store.lockedHead.peek(), one);
const headText = ({ layer, head }: HeadRef): string => t("headShort", { layer, head });
const floorText = (rows: readonly { readonly belowFloor: boolean }[]): string[] => (rows.some(({ belowFloor }) => belowFloor) ? [t("changesFloor")] : []);

/** With the standard deviation where values are means over examples. */
export function finderTable(run: RunHeads, ordinal: number, statistic: string, all: readonly RankedHead[]): Table {
  const { data } = run;
  const means = data.spreads !== null;
  return {
    header: ["run", "step", "example", "rank", "of", "layer", "head", statistic, ...(means ? [`${statistic} spread`] : [])],
    rows: all.map((one): TableCell[] => {
      const spread = means ? [spreadAt(data, ordinal, one, statistic)] : [];
      return [run.run, data.steps[ordinal] ?? null, exampleCell(data.example), one.rank, one.of, one.layer, one.head, one.value, ...spread];
    }),
  };
}

export function finderEntry(store: Store, shown: HeadsShown, run: RunHeads, rows: Rows<RankedHead>, largest: number): Exportable {
  const { state: { statistic, ascending }, step, worker } = shown;
  const ordinal = ordinalAt(run.series, step, worker);
  const every = run.data.layers.flatMap(({ layer, heads }) => heads.map((head) => ({ layer, head })));
  const name = statisticName(statistic);
  return listEntry(store, {
    id: "3 find",
    title: t("findCaption", { run: elideMiddle(run.run, MOST_NAME), statistic: name, step: formatCount(step) }),
    subtitle: [placeText(store, shown, false), t(ascending ? "findLowest" : "findHighest")].join(" · "),
    caption: [statisticDefinition(statistic)],
    parts: [run.run, nameOf(store), `step ${step}`, exampleName(run.data.example), statistic, "ranked heads"],
    rows: rows.shown,
    of: rows.all.length,
    placeTitle: t("findRank"),
    nameTitle: t("findHead"),
    rowOf: (one) => ({ place: t("findRankOf", { k: one.rank, n: one.of }), name: headText(one), chosen: chosenIn(store, one) }),
    columns: [
      { title: name, text: ({ value }) => formatStatistic(statistic, value) },
      { title: "", bar: ({ value }) => barTo(value, largest) },
    ],
    table: () => finderTable(run, ordinal, statistic, rows.all),
    array: headArray(every, (at) => valueAt(run.data, ordinal, at, statistic)),
  });
}

/** The record whose heads were compared with each other. */
export interface AlikeOf {
  readonly run: string;
  readonly ref: SimilarRef & { readonly step: number };
  readonly data: SimilarData;
  /** Which example, in words. */
  readonly of: string;
}

export function alikeTable({ run, ref, data }: Pick<AlikeOf, "run" | "ref" | "data">, all: readonly AlikeHead[]): Table {
  return {
    header: ["run", "step", "example", "examples", "rank", "of", "layer", "head", "similar layer", "similar head", "distance", "floor", "below floor"],
    rows: all.map(({ layer, head, other, rank, distance, floor, belowFloor }): TableCell[] => [
      run, ref.step, exampleCell(ref.example), data.examples, rank, all.length, layer, head, other.layer, other.head, distance, floor, belowFloor ? 1 : 0,
    ]),
  };
}

export function alikeEntry(store: Store, alike: AlikeOf, rows: Rows<AlikeHead>): Exportable {
  const { run, ref, data, of } = alike;
  return listEntry(store, {
    id: "3 alike",
    title: t("alikeCaption", { run: elideMiddle(run, MOST_NAME), step: formatCount(ref.step), of }),
    subtitle: shownText(nameOf(store)),
    caption: [t("similarDefinition"), ...floorText(rows.shown)],
    parts: [run, nameOf(store), `step ${ref.step}`, exampleName(ref.example), "most similar heads"],
    rows: rows.shown,
    of: rows.all.length,
    placeTitle: t("findRank"),
    nameTitle: t("findHead"),
    rowOf: (one) => ({
      place: t("findRankOf", { k: one.rank, n: rows.all.length }),
      name: headText(one),
      chosen: chosenIn(store, one),
      hatched: one.belowFloor,
    }),
    columns: [
      { title: t("alikeOther"), text: ({ other }) => headText(other) },
      { title: t("jsDistance"), text: ({ distance }) => formatNumber(distance) },
      { title: "", bar: ({ distance }) => barTo(distance, 1) },
    ],
    table: () => alikeTable(alike, rows.all),
    array: headArray([...data.heads.values()], ({ distance }) => distance),
  });
}

/** A and B as the records that show them. */
export type Sides = Readonly<Record<"a" | "b", Pin>>;

export function betweenText(sides: Sides | undefined, examples: number, longest: number): string {
  const side = (pin: Pin | undefined): string => (pin === undefined ? "–" : `${elideMiddle(pin.run, longest)} · ${formatCount(pin.step)}`);
  return t("changesFrom", { a: side(sides?.a), b: side(sides?.b), n: examples });
}

const sideNames = ["run A", "step A", "run B", "step B", "examples"];
const sideCells = ({ a, b }: Sides, examples: number): TableCell[] => [a.run, a.step, b.run, b.step, examples];
const sideParts = (store: Store, { a, b }: Sides): string[] => [`A ${a.run} step ${a.step}`, `B ${b.run} step ${b.step}`, nameOf(store)];

/** What both lists of A and B say alike. */
const betweenHeading = (store: Store, sides: Sides, { examples }: ChangesData): string =>
  [shownText(nameOf(store)), betweenText(sides, examples, MOST_NAME)].join(" · ");

export function changesTable(sides: Sides, { examples }: Pick<ChangesData, "examples">, all: readonly ChangedHead[]): Table {
  const of = all.filter(({ rank }) => rank !== null).length;
  return {
    header: [...sideNames, "rank", "of", "layer", "head", "mean distance", "spread", "floor", "below floor"],
    rows: all.map(({ rank, layer, head, mean, spread, floor, belowFloor }): TableCell[] => [
      ...sideCells(sides, examples), rank, of, layer, head, mean, spread, floor, belowFloor ? 1 : 0,
    ]),
  };
}

export function changesEntry(store: Store, sides: Sides, data: ChangesData, rows: Rows<ChangedHead>, largest: number): Exportable {
  const of = rows.all.filter(({ rank }) => rank !== null).length;
  return listEntry(store, {
    id: "3 changes",
    title: t("changesCaption"),
    subtitle: betweenHeading(store, sides, data),
    caption: [t("jsDefinition"), t("changesSpreadDefinition"), ...floorText(rows.shown)],
    parts: [...sideParts(store, sides), "most changed heads"],
    rows: rows.shown,
    of: rows.all.length,
    placeTitle: t("findRank"),
    nameTitle: t("findHead"),
    rowOf: (one) => ({
      place: one.rank === null ? "–" : t("findRankOf", { k: one.rank, n: of }),
      name: headText(one),
      chosen: chosenIn(store, one),
      hatched: one.belowFloor,
    }),
    columns: [
      { title: t("changesMean"), text: ({ mean }) => formatNumber(mean) },
      { title: `± ${t("changesSpread")}`, muted: true, text: ({ spread }) => formatNumber(spread) },
      { title: "", bar: ({ mean, spread }) => ({ ...barTo(mean, largest), spread: [shareOf(mean - spread, largest), shareOf(mean + spread, largest)] }) },
    ],
    table: () => changesTable(sides, data, rows.all),
    array: headArray(rows.all, ({ mean }) => mean),
  });
}

export function matchesTable(sides: Sides, { examples }: Pick<ChangesData, "examples">, all: readonly MatchedHead[]): Table {
  return {
    header: [...sideNames, "layer", "head A", "head B", "distance", "floor", "below floor"],
    rows: all.map(({ layer, head, other, distance, floor, belowFloor }): TableCell[] => [
      ...sideCells(sides, examples), layer, head, other, distance, floor, belowFloor ? 1 : 0,
    ]),
  };
}

export function matchesEntry(store: Store, sides: Sides, data: ChangesData, rows: Rows<MatchedHead>): Exportable {
  const { other } = store.selection.peek().heads;
  const alone = withoutMatch(data);
  const moved = rows.all.filter((one) => one.head !== one.other).length;
  return listEntry(store, {
    id: "3 matches",
    title: t("matchesCaption"),
    subtitle: betweenHeading(store, sides, data),
    caption: [
      t("matchesMoved", { n: moved, all: rows.all.length }),
      ...(alone > 0 ? [t("matchesAlone", { n: alone })] : []),
      t("matchesDefinition"),
      t("jsDefinition"),
      ...floorText(rows.shown),
    ],
    parts: [...sideParts(store, sides), "matched heads"],
    rows: rows.shown,
    of: rows.all.length,
    placeTitle: "",
    nameTitle: "A ↔ B",
    rowOf: (one) => ({
      place: "",
      name: t("pairOf", { a: headText(one), b: headText({ layer: one.layer, head: one.other }) }),
      chosen: chosenIn(store, one) && other === one.other,
      hatched: one.belowFloor,
    }),
    columns: [
      { title: t("matchesDistance"), text: ({ distance }) => formatNumber(distance) },
      { title: "", bar: ({ distance }) => barTo(distance, 1) },
    ],
    table: () => matchesTable(sides, data, rows.all),
    array: matchArray(rows.all),
  });
}
