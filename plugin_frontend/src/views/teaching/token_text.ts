import { elide, tokenGlyphs } from "../../base/tokens";
import type { TokenList } from "../../data/types";

/** A token as it is shown in a list; empty if none was logged. */
export function tokenText(tokens: TokenList | null, place: number): string {
  const text = tokens?.text[place];
  return text === undefined ? "" : elide(tokenGlyphs(text, tokens?.part[place] ?? 0, tokens?.parts[place] ?? 0), 24);
}
