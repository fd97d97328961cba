// What the head over time enters for the export menu: the maps in sight as a figure, and their numbers.
import { formatCount } from "../../base/format";
import type { Table, TableCell } from "../../exports/csv";
import type { Exportable } from "../../exports/registry";
import type { MultiplesCell, MultiplesData } from "../../render/multiples_grid";
import type { Place } from "../../render/multiples_layout";
import type { Store } from "../../state/store";
import { shownText } from "../../text/format";
import { t } from "../../text/table";
import { darkFor, scaleText } from "../exporting";
import type { HeadPicture } from "../../data/multiples";
import type { Shown } from "./rows";
import type { InSight } from "./scale";

/** One row per run and step: whether there is a map, and the statistics that came with it. */
export function stepsTable({ rows, steps, at }: Shown, { first, end }: InSight, pictureOf: (place: Place) => HeadPicture | undefined): Table {
  const found = rows.flatMap(({ run }, row) =>
    steps.slice(first, end).flatMap((step, i) => {
      const picture = pictureOf({ row, column: first + i });
      return picture === undefined || picture.error !== null ? [] : [{ run, step, picture }];
    }),
  );
  const names = [...new Set(found.flatMap(({ picture }) => [...picture.values.keys()]))];
  return {
    header: ["run", "step", "layer", "head", "map", "largest weight", "set aside", ...names],
    rows: found.map(({ run, step, picture }): TableCell[] => [
      run, step, at.layer, at.head,
      picture.codes === null ? 0 : 1,
      picture.codes === null ? null : picture.peak,
      picture.aside.length === 0 ? null : picture.asideMass,
      ...names.map((name) => picture.values.get(name) ?? null),
    ]),
  };
}

export interface StripShown {
  readonly data: Omit<MultiplesData, "hovered">;
  /** What is said under the pictures. */
  readonly caption: readonly string[];
}

const STATE_TEXT: Readonly<Partial<Record<MultiplesCell["state"], "legendDropped" | "legendStatistics" | "legendIncomparable">>> = {
  dropped: "legendDropped",
  statistics: "legendStatistics",
  incomparable: "legendIncomparable",
};

/** `strip` null: the numbers are on screen, not the pictures. */
export function multiplesEntries(store: Store, shown: Shown, inSight: InSight, pictureOf: (place: Place) => HeadPicture | undefined, strip: StripShown | null): Exportable[] {
  const { first, end } = inSight;
  if (end <= first) return [];
  const { at, steps, rows, against } = shown;
  const [from, to] = [steps[first] ?? 0, steps[end - 1] ?? 0];
  const { name, example } = store.resolved.peek();
  const title = t("exportOverTime", { ...at, first: formatCount(from), last: formatCount(to) });
  const parts = [...rows.map(({ run }) => run), name ?? "", `steps ${from}-${to}`, `example ${example}`, `layer ${at.layer} head ${at.head} over time`];
  const entry = { id: "over time", section: "focus", title, parts, table: () => stepsTable(shown, inSight, pictureOf) } as const;
  if (strip === null) return [entry];
  const { data, caption } = strip;
  return [
    {
      ...entry,
      figure: async (measure) => {
        const dark = darkFor(store, data.scale.dark);
        const colours = store.coloursOn(dark);
        const states = new Set(rows.flatMap((_, row) => steps.slice(first, end).map((_step, i) => data.cell({ row, column: first + i }).state)));
        const legends = [...states].flatMap((state) => STATE_TEXT[state] ?? []).map((key) => (key === "legendDropped" ? t("exportHatched", { what: t(key) }) : t(key)));
        return (await import("../../exports/figure_multiples")).multiplesFigure(
          {
            data: { ...data, scale: { ...data.scale, dark }, titles: data.titles.map((one, row) => ({ ...one, colour: colours.get(rows[row]?.run ?? "") ?? one.colour })) },
            first,
            end,
            signed: against !== null,
            heading: {
              title: t("exportHead", { name: shownText(name ?? ""), ...at }),
              subtitle: t("exportSteps", { first: formatCount(from), last: formatCount(to), shown: end - first, n: steps.length, example }),
              caption: [...caption, ...legends].join(" · "),
            },
            scale: scaleText({ ...data.scale, normalisation: "absolute" }, against !== null, false),
            stepTitle: t("stepColumn"),
          },
          measure,
        );
      },
    },
  ];
}
