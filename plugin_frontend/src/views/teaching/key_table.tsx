// The numbers of every key, a row each; only the rows in sight are in the page.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RowVectors } from "../../data/vectors";
import { t } from "../../text/table";
import { barExtent, barOf, cellText, type Column, type Extent } from "./columns";

export const ROW_PX = 22;
const OVERSCAN = 6;

interface Props {
  readonly columns: readonly Column[];
  readonly vectors: RowVectors;
  readonly chosen: number;
  readonly nameOf: (key: number) => string;
  readonly onPreview: (key: number | null) => void;
  readonly onChoose: (key: number) => void;
}

function Bar({ extent, value }: { readonly extent: Extent; readonly value: number }): preact.JSX.Element | null {
  const bar = barOf(extent, value);
  if (bar === null) return null;
  return <i class="bar" data-sign={value < 0 ? "minus" : "plus"} style={{ "--start": bar.start, "--length": bar.length }} />;
}

interface RowProps extends Props {
  readonly row: number;
  /** Of the columns that are new in this step, how far their bars reach. */
  readonly extents: readonly (Extent | null)[];
}

function Row({ row, columns, extents, vectors, chosen, nameOf, onPreview, onChoose }: RowProps): preact.JSX.Element {
  return (
    <tr
      aria-rowindex={row + 2}
      data-key={row}
      data-chosen={row === chosen}
      data-masked={vectors.masked?.[row] === 1}
      onMouseEnter={() => onPreview(row)}
      onClick={() => onChoose(row)}
    >
      <th scope="row">
        <span class="muted">{row}</span> <bdi>{nameOf(row)}</bdi>
      </th>
      {columns.map((column, i) => {
        const extent = extents[i];
        return (
          <td key={column.id} data-fresh={column.fresh} data-column={column.id}>
            {extent !== null && extent !== undefined && <Bar extent={extent} value={column.values[row] ?? NaN} />}
            <span>{cellText(column, row, vectors)}</span>
          </td>
        );
      })}
    </tr>
  );
}

type Host = { readonly current: HTMLElement | null };

/** The first and last row in sight, with some to spare. */
function useWindow(count: number, host: Host): readonly [number, number, () => void] {
  const [place, setPlace] = useState({ top: 0, height: 12 * ROW_PX });
  const look = (): void => {
    const element = host.current;
    if (element !== null) setPlace({ top: element.scrollTop, height: element.clientHeight });
  };
  useEffect(look, [count]);
  const first = Math.max(0, Math.floor(place.top / ROW_PX) - OVERSCAN);
  const last = Math.min(count, Math.ceil((place.top + place.height) / ROW_PX) + OVERSCAN);
  return [first, last, look];
}

/** Scrolls to a row, where it is not in sight. */
function show({ current: element }: Host, row: number): void {
  if (element === null) return;
  // Under the heading, which stays in place.
  if (row * ROW_PX < element.scrollTop) element.scrollTop = row * ROW_PX;
  const end = (row + 2) * ROW_PX - element.clientHeight;
  if (end > element.scrollTop) element.scrollTop = end;
}

export function KeyTable(props: Props): preact.JSX.Element {
  const { columns, vectors, chosen, onPreview, onChoose } = props;
  const host = useRef<HTMLDivElement>(null);
  const [first, last, look] = useWindow(vectors.keys, host);
  const extents = useMemo(() => columns.map((column) => (column.fresh ? barExtent(column.values) : null)), [columns]);
  useEffect(() => {
    // A text that is padded on the left would open on its padding.
    const element = host.current;
    const place = (chosen + 1) * ROW_PX;
    if (element !== null && place + ROW_PX > element.clientHeight) element.scrollTop = place - element.clientHeight / 2;
  }, [vectors]);
  const press = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const row = Math.min(vectors.keys - 1, Math.max(0, chosen + by));
    onChoose(row);
    show(host, row);
  };
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  return (
    <div
      ref={host}
      class="key-table"
      tabIndex={0}
      role="region"
      aria-label={t("teachTable", { n: vectors.keys })}
      data-keys="scroll"
      data-testid="teach-keys"
      onScroll={look}
      onKeyDown={press}
      onMouseLeave={() => onPreview(null)}
    >
      <table aria-rowcount={vectors.keys + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th scope="col">{t("teachColumnKey")}</th>
            {columns.map((column) => (
              <th key={column.id} scope="col" data-fresh={column.fresh} data-column={column.id}>
                {t(column.title)} {column.fresh && <small class="badge">{t("teachNew")}</small>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden="true" style={{ height: `${first * ROW_PX}px` }} />}
          {rows.map((row) => <Row key={row} row={row} extents={extents} {...props} />)}
          {last < vectors.keys && <tr aria-hidden="true" style={{ height: `${(vectors.keys - last) * ROW_PX}px` }} />}
        </tbody>
      </table>
    </div>
  );
}
