// Tables as comma-separated values (RFC 4180), readable by pandas and harmless in a spreadsheet.

/** A text, a number, or nothing. */
export type TableCell = string | number | null;

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly TableCell[])[];
}

/** What makes a spreadsheet take a cell for a formula, in its ASCII and its wide form. */
const formula = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/** Logged text must not become a formula: an apostrophe keeps it text. Quoted where it has to be. */
export function textCell(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n\t]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** As many digits as tell a float32 (or, where more are needed, a float64) from its neighbours. */
export function numberCell(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "0";
  if (Math.fround(value) !== value) return String(value);
  for (let digits = 6; digits < 9; digits += 1) {
    const short = value.toPrecision(digits);
    if (Math.fround(Number(short)) === value) return String(Number(short));
  }
  return String(Number(value.toPrecision(9)));
}

function cell(value: TableCell): string {
  if (value === null) return "";
  return typeof value === "number" ? numberCell(value) : textCell(value);
}

/** Lines end as RFC 4180 says. */
export function csv({ header, rows }: Table): string {
  const line = (cells: readonly string[]): string => `${cells.join(",")}\r\n`;
  return line(header.map(textCell)) + rows.map((row) => line(row.map(cell))).join("");
}
