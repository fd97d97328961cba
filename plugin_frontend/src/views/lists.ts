// What a list (of heads, of anomalies) enters for the export menu: the rows on screen as a figure, all of them as a table.
import type { Table } from "../exports/csv";
import type { FigureBar, FigureLane, FigureRow } from "../exports/figure_table";
import type { Exportable, ExportableArray } from "../exports/registry";
import { rowsDown } from "../exports/window";
import type { Store } from "../state/store";
import { t } from "../text/table";
import { darkFor } from "./exporting";

/** Two parts of a table of few columns beside each other are as wide as a page. */
const MOST_ROWS = 2 * rowsDown;

export interface ListColumn<Row> {
  readonly title: string;
  readonly muted?: boolean;
  /** Words stand at the left, numbers at the right. */
  readonly words?: boolean;
  readonly text?: (one: Row) => string;
  readonly bar?: (one: Row) => FigureBar;
  readonly lane?: (one: Row) => FigureLane;
}

export interface List<Row> {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly caption: readonly string[];
  readonly parts: readonly string[];
  /** Those on screen, of so many. */
  readonly rows: readonly Row[];
  readonly of: number;
  /** In a figure: fewer where one part of the table is as wide as a page. */
  readonly mostRows?: number;
  readonly placeTitle: string;
  readonly nameTitle: string;
  readonly rowOf: (one: Row) => Omit<FigureRow, "muted">;
  readonly columns: readonly ListColumn<Row>[];
  readonly table: () => Table;
  readonly array?: ExportableArray;
}

export function listEntry<Row>(store: Store, list: List<Row>): Exportable {
  const { id, title, subtitle, caption, parts, placeTitle, nameTitle, rowOf, columns, table, array } = list;
  return {
    id,
    section: "table",
    title,
    parts,
    figure: async (measure) => {
      const { tableFigure } = await import("../exports/figure_table");
      const rows = list.rows.slice(0, list.mostRows ?? MOST_ROWS);
      const part = rows.length < list.of ? [t("exportRows", { shown: rows.length, n: list.of })] : [];
      return tableFigure(
        {
          placeTitle,
          nameTitle,
          rows: rows.map((one) => ({ ...rowOf(one), muted: false })),
          columns: columns.map((column) => ({
            title: column.title,
            fresh: column.muted !== true,
            words: column.words === true,
            texts: column.text === undefined ? [] : rows.map(column.text),
            bars: column.bar === undefined ? null : rows.map(column.bar),
            ...(column.lane === undefined ? {} : { lanes: rows.map(column.lane) }),
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
