// Which key does what. Pure: an event's facts in, the name of an action out.

export type Action =
  | "headLeft"
  | "headRight"
  | "layerUp"
  | "layerDown"
  | "stepBack"
  | "stepForward"
  | "stepFirst"
  | "stepLast"
  | "pinA"
  | "pinB"
  | "difference"
  | "queryUp"
  | "queryDown"
  | "keyLeft"
  | "keyRight"
  | "zoomIn"
  | "zoomOut"
  | "zoomFit"
  | "panLeft"
  | "panRight"
  | "panUp"
  | "panDown"
  | "play"
  | "table"
  | "pool"
  | "sinks"
  | "exportMenu"
  | "teach"
  | "teachBack"
  | "teachNext"
  | "overTime"
  | "help"
  | "release";

export interface KeyFacts {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  /** What kind of element has the focus. */
  readonly target: "page" | "text" | "control" | "slider";
}

export interface Shortcut {
  readonly keys: readonly string[];
  /** With Shift; of arrows only, for other keys have it in their name. */
  readonly shift?: boolean;
  readonly action: Action;
}

/** In the order in which the help lists them. */
export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["ArrowLeft"], action: "headLeft" },
  { keys: ["ArrowRight"], action: "headRight" },
  { keys: ["ArrowUp"], action: "layerUp" },
  { keys: ["ArrowDown"], action: "layerDown" },
  { keys: ["["], action: "stepBack" },
  { keys: ["]"], action: "stepForward" },
  { keys: ["{"], action: "stepFirst" },
  { keys: ["}"], action: "stepLast" },
  { keys: ["a", "A"], action: "pinA" },
  { keys: ["b", "B"], action: "pinB" },
  { keys: ["d", "D"], action: "difference" },
  { keys: ["i", "I"], action: "queryUp" },
  { keys: ["k", "K"], action: "queryDown" },
  { keys: ["j", "J"], action: "keyLeft" },
  { keys: ["l", "L"], action: "keyRight" },
  { keys: ["=", "+"], action: "zoomIn" },
  { keys: ["_", "-"], action: "zoomOut" },
  { keys: ["0"], action: "zoomFit" },
  { keys: ["ArrowLeft"], shift: true, action: "panLeft" },
  { keys: ["ArrowRight"], shift: true, action: "panRight" },
  { keys: ["ArrowUp"], shift: true, action: "panUp" },
  { keys: ["ArrowDown"], shift: true, action: "panDown" },
  { keys: [" "], action: "play" },
  { keys: ["t", "T"], action: "table" },
  { keys: ["m", "M"], action: "pool" },
  { keys: ["s", "S"], action: "sinks" },
  { keys: ["e", "E"], action: "exportMenu" },
  { keys: ["q", "Q"], action: "teach" },
  { keys: [","], action: "teachBack" },
  { keys: ["."], action: "teachNext" },
  { keys: ["o", "O"], action: "overTime" },
  { keys: ["?"], action: "help" },
  { keys: ["Escape"], action: "release" },
];

export function actionOf(facts: KeyFacts): Action | undefined {
  if (facts.ctrlKey || facts.metaKey || facts.altKey) return undefined;
  if (facts.target === "text" && facts.key !== "Escape") return undefined;
  // A focused button or select keeps the keys that operate it; a slider its arrows.
  if (facts.target === "control" && (facts.key === " " || facts.key.startsWith("Arrow"))) return undefined;
  if (facts.target === "slider" && facts.key.startsWith("Arrow")) return undefined;
  const shifted = facts.shiftKey && facts.key.startsWith("Arrow");
  return SHORTCUTS.find(({ keys, shift = false }) => keys.includes(facts.key) && shift === shifted)?.action;
}

/** How a shortcut is printed on key caps: by the last of its keys. */
export function capsOf({ keys, shift = false }: Shortcut): string[] {
  return [...(shift ? ["Shift"] : []), keyCap(keys[keys.length - 1] ?? "")];
}

/** How a key is printed on a key cap. */
export function keyCap(key: string): string {
  const caps: Readonly<Record<string, string>> = {
    ArrowLeft: "←",
    ArrowRight: "→",
    ArrowUp: "↑",
    ArrowDown: "↓",
    Escape: "Esc",
    " ": "Space",
  };
  return caps[key] ?? key;
}

/** Layers and their heads, in the order in which the grid shows them. */
export interface HeadRow {
  readonly layer: number;
  readonly heads: readonly number[];
}

/** The head one place away. Layers may have different heads, so the nearest place in the row is taken. */
export function moveHead(
  rows: readonly HeadRow[],
  at: { readonly layer: number; readonly head: number },
  action: "headLeft" | "headRight" | "layerUp" | "layerDown",
): { readonly layer: number; readonly head: number } {
  const row = Math.max(0, rows.findIndex((one) => one.layer === at.layer));
  const place = Math.max(0, rows[row]?.heads.indexOf(at.head) ?? 0);
  const clamp = (value: number, length: number): number => Math.min(Math.max(0, length - 1), Math.max(0, value));
  const nextRow = clamp(row + (action === "layerDown" ? 1 : action === "layerUp" ? -1 : 0), rows.length);
  const target = rows[nextRow];
  if (target === undefined) return at;
  const sideways = action === "headRight" ? 1 : action === "headLeft" ? -1 : 0;
  const head = target.heads[clamp(place + sideways, target.heads.length)];
  return head === undefined ? at : { layer: target.layer, head };
}
