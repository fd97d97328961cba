// Cells of a map in words: one token by its text, a block by its range.
import { spanOf, spanText, type TokenAxis } from "../base/axis";
import { elide, tokenGlyphs } from "../base/tokens";
import type { Pool, TokenList } from "../data/types";
import { t, type TextKey } from "../text/table";

const LONGEST = 24;

/** A token's text, or its position where no tokens were logged. */
export function tokenName(tokens: TokenList | null, place: number): string {
  const text = tokens?.text[place];
  return text === undefined
    ? String(place)
    : elide(tokenGlyphs(text, tokens?.part[place] ?? 0, tokens?.parts[place] ?? 0), LONGEST);
}

/** "tokens 128–159", or "token 128 “the”". */
export function spanName(tokens: TokenList | null, axis: TokenAxis, cell: number): string {
  const span = spanOf(axis, cell);
  if (span.first === span.last) return t("spanOne", { span: span.first, token: tokenName(tokens, span.first) });
  const gaps = span.count < span.last - span.first + 1;
  return gaps ? t("spanRows", { n: span.count, span: spanText(span) }) : t("spanTokens", { span: spanText(span) });
}

/** What the value of a block is. */
export function blockValue(pool: Pool, signed: boolean): TextKey {
  if (signed) return pool === "max" ? "blockMaxChange" : "blockMeanChange";
  return pool === "max" ? "blockMax" : "blockMean";
}
