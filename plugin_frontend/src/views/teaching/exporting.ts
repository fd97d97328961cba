// What the explanation of one row enters for the export menu: its table as a figure, and all its numbers.
import type { AttentionSteps, StepName } from "../../data/attention_steps";
import type { RowVectors } from "../../data/vectors";
import type { Table, TableCell } from "../../exports/csv";
import type { FigureColumn } from "../../exports/figure_table";
import type { Exportable } from "../../exports/registry";
import { rowsDown } from "../../exports/window";
import type { Store } from "../../state/store";
import type { Lesson } from "../../state/teaching_loader";
import { shownText } from "../../text/format";
import { t, type TextKey } from "../../text/table";
import { darkFor, fileParts, placeText, rawToken } from "../exporting";
import { barExtent, barOf, cellText, everyColumn, type Column } from "./columns";
import { aboutStep } from "./details";
import { tokenText } from "./token_text";

const STEP_TITLES: Readonly<Record<StepName, TextKey>> = {
  product: "teachStepProduct",
  scale: "teachStepScale",
  cap: "teachStepCap",
  bias: "teachStepBias",
  mask: "teachStepMask",
  softmax: "teachStepSoftmax",
  output: "teachStepOutput",
};

export const stepTitle = (name: StepName): string => t(STEP_TITLES[name]);

export interface LessonShown {
  readonly lesson: Lesson;
  readonly vectors: RowVectors;
  readonly steps: AttentionSteps;
  readonly at: StepName;
  readonly columns: readonly Column[];
  /** The key that is looked at. */
  readonly chosen: number;
}

/** One row per key: the numbers of every step, and the weight that was stored. */
export function keysTable({ lesson, vectors, steps }: Pick<LessonShown, "lesson" | "vectors" | "steps">): Table {
  const columns = everyColumn(steps);
  const { masked, weights } = vectors;
  const stored = weights === null ? [] : ["stored weight"];
  return {
    header: ["key", "token", "masked", ...columns.map(({ id }) => NAMES[id] ?? id), ...stored],
    rows: Array.from({ length: vectors.keys }, (_, key): TableCell[] => [
      key,
      rawToken(lesson.overview.keyTokens, key),
      masked?.[key] === 1 ? 1 : 0,
      ...columns.map(({ values }) => values[key] ?? null),
      ...(weights === null ? [] : [weights[key] ?? null]),
    ]),
  };
}

/** Of the file's columns; a program reads them, whatever the reader's language. */
const NAMES: Readonly<Record<string, string>> = {
  product: "q.k", scale: "scaled", cap: "capped", bias: "with bias", mask: "logit", power: "exp(z-m)", weight: "weight", part: "length of w v",
};

/** The part of the keys that a figure has room for, the one that is looked at among them. */
export function keysInFigure(keys: number, chosen: number): { readonly first: number; readonly end: number } {
  const first = Math.max(0, Math.min(keys - rowsDown, chosen - rowsDown / 2));
  return { first, end: Math.min(keys, first + rowsDown) };
}

function columnOf(column: Column, { vectors }: LessonShown, first: number, end: number): FigureColumn {
  const extent = column.fresh ? barExtent(column.values) : null;
  const keys = Array.from({ length: end - first }, (_, i) => first + i);
  return {
    title: t(column.title),
    fresh: column.fresh,
    texts: keys.map((key) => cellText(column, key, vectors)),
    bars: extent === null ? null : keys.map((key) => {
      const value = column.values[key] ?? NaN;
      const bar = barOf(extent, value);
      return bar === null ? null : { ...bar, minus: value < 0 };
    }),
  };
}

export function lessonEntry(store: Store, shown: LessonShown): Exportable {
  const { lesson, vectors, steps, at, columns, chosen } = shown;
  const { panel, overview, query } = lesson;
  const token = tokenText(overview.queryTokens, query);
  const said = { ...lesson.at, query: token === "" ? query : `${query} “${token}”` };
  const origin = { panel, against: undefined, caption: [] };
  const name = shownText(store.resolved.peek().name ?? "");
  return {
    id: "row",
    section: "focus",
    title: t("exportLesson", said),
    parts: fileParts(store, origin, `layer ${said.layer} head ${said.head} query ${lesson.query} ${at}`),
    figure: async (measure) => {
      const dark = darkFor(store, store.dark.peek());
      const { first, end } = keysInFigure(vectors.keys, chosen);
      const part = end - first < vectors.keys ? [t("exportLessonPart", { first, last: end - 1, n: vectors.keys })] : [];
      const progress = t("teachProgress", { k: steps.names.indexOf(at) + 1, n: steps.names.length });
      return (await import("../../exports/figure_table")).tableFigure(
        {
          placeTitle: "",
          nameTitle: t("teachColumnKey"),
          rows: Array.from({ length: end - first }, (_, i) => ({
            place: String(first + i),
            name: tokenText(overview.keyTokens, first + i),
            muted: vectors.masked?.[first + i] === 1,
            chosen: first + i === chosen,
          })),
          columns: columns.map((column) => columnOf(column, shown, first, end)),
          heading: {
            title: `${name} · ${t("exportLessonHead", said)}`,
            subtitle: `${placeText(store, origin)} · ${progress}: ${stepTitle(at)}`,
            caption: [aboutStep(at, { vectors, steps }).join(" "), ...part].join(" · "),
          },
          dark,
        },
        measure,
      );
    },
    table: () => keysTable(shown),
  };
}
