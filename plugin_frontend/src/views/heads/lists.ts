// What a list of heads enters for the export menu: the rows on screen as a figure, all of them as a table.
import type { Table } from "../../exports/csv";
import type { FigureBar, FigureRow } from "../../exports/figure_table";
import type { NumberArray } from "../../exports/npy";
import type { Exportable } from "../../exports/registry";
import { rowsDown } from "../../exports/window";
import type { HeadRef } from "../../data/types";
import type { Store } from "../../state/store";
import { t } from "../../text/table";
import { darkFor } from "../exporting";

/** Two parts of a table beside each other are as wide as a page. */
const MOST_ROWS = 2 * rowsDown;

export interface ListColumn<Row> {
  readonly title: string;
  readonly muted?: boolean;
  readonly text?: (one: Row) => string;
  readonly bar?: (one: Row) => FigureBar;
}

export interface HeadList<Row> {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly caption: readonly string[];
  readonly parts: readonly string[];
  /** Those on screen, of so many. */
  readonly rows: readonly Row[];
  readonly of: number;
  readonly placeTitle: string;
  readonly nameTitle: string;
  readonly rowOf: (one: Row) => Omit<FigureRow, "muted">;
  readonly columns: readonly ListColumn<Row>[];
  readonly table: () => Table;
  readonly array?: () => NumberArray;
}

export function listEntry<Row>(store: Store, list: HeadList<Row>): Exportable {
  const { id, title, subtitle, caption, parts, placeTitle, nameTitle, rowOf, columns, table, array } = list;
  return {
    id,
    section: "table",
    title,
    parts,
    figure: async (measure) => {
      const { tableFigure } = await import("../../exports/figure_table");
      const rows = list.rows.slice(0, MOST_ROWS);
      const part = rows.length < list.of ? [t("exportRows", { shown: rows.length, n: list.of })] : [];
      return tableFigure(
        {
          placeTitle,
          nameTitle,
          rows: rows.map((one) => ({ ...rowOf(one), muted: false })),
          columns: columns.map((column) => ({
            title: column.title,
            fresh: column.muted !== true,
            texts: column.text === undefined ? [] : rows.map(column.text),
            bars: column.bar === undefined ? null : rows.map(column.bar),
          })),
          heading: { title, subtitle, caption: [...part, ...caption].join(" · ") },
          dark: darkFor(store, store.dark.peek()),
        },
        measure,
      );
    },
    table,
    ...(array === undefined ? {} : { array }),
  };
}

/** A value per head as [layers, heads], both ascending as in the table of the matrix; NaN where there is no such head. */
export function headArray<Head extends HeadRef>(all: readonly Head[], valueOf: (one: Head) => number): NumberArray {
  const places = (numbers: readonly number[]): Map<number, number> => new Map([...new Set(numbers)].sort((a, b) => a - b).map((one, place) => [one, place]));
  const [layers, heads] = [places(all.map(({ layer }) => layer)), places(all.map(({ head }) => head))];
  const values = new Float32Array(layers.size * heads.size).fill(NaN);
  for (const one of all) values[(layers.get(one.layer) ?? 0) * heads.size + (heads.get(one.head) ?? 0)] = valueOf(one);
  return { shape: [layers.size, heads.size], values };
}
