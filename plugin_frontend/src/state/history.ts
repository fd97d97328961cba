// Which changes of the selection a reader would go back from.
import { samePin, type Selection } from "./selection";

function sameList(a: readonly string[] | null, b: readonly string[] | null): boolean {
  return a === b || (a !== null && b !== null && a.length === b.length && a.every((one, i) => one === b[i]));
}

/** The same head locked, or none. */
function sameHead(a: Selection, b: Selection): boolean {
  return a.layer === b.layer && a.head === b.head;
}

/** Another view, run, name, example, pin or difference. Steps, tokens and how things are drawn are not places. */
function samePlace(a: Selection, b: Selection): boolean {
  return (
    a.view === b.view &&
    a.run === b.run &&
    a.name === b.name &&
    a.attribution === b.attribution &&
    a.example === b.example &&
    a.difference === b.difference &&
    sameList(a.runs, b.runs) &&
    samePin(a.a, b.a) &&
    samePin(a.b, b.b)
  );
}

export type Change = "none" | "head" | "place";

/** "head" where only the locked head is another one: arrow keys make many such changes in a row. */
export function changeOf(before: Selection, after: Selection): Change {
  if (!samePlace(before, after)) return "place";
  return sameHead(before, after) ? "none" : "head";
}
