// Colours of runs, chosen as TensorBoard chooses them: its palette dealt out in its order of runs.

interface PaletteEntry {
  readonly light: string;
  readonly dark: string;
}

/** TensorBoard's default palette of run colours, light and dark variant. */
export const RUN_PALETTE: readonly PaletteEntry[] = [
  { light: "#425066", dark: "#8e98a3" },
  { light: "#12b5cb", dark: "#12b5cb" },
  { light: "#e52592", dark: "#e52592" },
  { light: "#f9ab00", dark: "#f9ab00" },
  { light: "#9334e6", dark: "#9334e6" },
  { light: "#7cb342", dark: "#7cb342" },
  { light: "#e8710a", dark: "#e8710a" },
];

/**
 * A colour per run. `hostOrder` is the order in which TensorBoard itself lists its runs (it deals its
 * palette in that order); runs it does not list follow, sorted by name.
 */
export function runColours(
  names: readonly string[],
  hostOrder: readonly string[],
  dark: boolean,
): ReadonlyMap<string, string> {
  const ours = new Set(names);
  const listed = new Set(hostOrder);
  const rest = [...ours].filter((name) => !listed.has(name)).sort(compareNames);
  const colours = new Map<string, string>();
  [...listed, ...rest].forEach((name, place) => {
    const entry = RUN_PALETTE[place % RUN_PALETTE.length];
    if (entry !== undefined && ours.has(name)) colours.set(name, dark ? entry.dark : entry.light);
  });
  return colours;
}

/** Plain code-unit order: the same everywhere, whatever the browser's language. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
