// Tokens as they can be seen: a space, a newline or a lone byte must not look like nothing.

const glyphs: Readonly<Record<string, string>> = {
  " ": "␣",
  "\u00a0": "⍽",
  "\n": "↵",
  "\r": "␍",
  "\t": "⇥",
  "\u3000": "□",
};

/** Shown as it is: what most tokens of most texts are. */
const plain = /^[!-~]{1,256}$/;

/** Invisible or direction-changing characters, shown by number instead of acting. */
const hidden = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/u;
/** Joins emoji and shapes Indic and Arabic letters: part of what is seen, so left alone inside a token. */
const joiners = new Set(["\u200d", "\u200c", "\ufe0f"]);

/** Marks above and below a letter, up to what any script puts there: more are drawn over what stands around. */
export function withoutPiles(text: string): string {
  return text.replace(/(\p{M}{6})\p{M}+/gu, "$1");
}

/** Code units of a token that are looked at: nobody reads more, and a token may have a million. */
const mostShown = 1024;

function glyphOf(character: string, alone: boolean): string {
  const glyph = glyphs[character];
  if (glyph !== undefined) return glyph;
  if (!hidden.test(character)) return character;
  if (!alone && joiners.has(character)) return character;
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
  return `⟨${code}⟩`;
}

/**
 * What to show for a token: visible glyphs for white space and control characters, "∅" for an empty
 * one, and "中 1/3" for the first of three tokens that make up one character.
 */
export function tokenGlyphs(text: string, part = 0, parts = 0): string {
  if (parts <= 1 && plain.test(text)) return text;
  const characters = Array.from(withoutPiles(text.slice(0, mostShown)));
  const onlyJoiners = characters.every((character) => joiners.has(character));
  const shown = characters.map((character) => glyphOf(character, onlyJoiners)).join("");
  const whole = shown === "" ? "∅" : text.length > mostShown ? `${shown}…` : shown;
  return parts > 1 ? `${whole} ${part}/${parts}` : whole;
}

/** Keeps the direction of a token's letters from turning what stands around it. */
export function isolate(text: string): string {
  return `\u2068${text}\u2069`;
}

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** At most `length` characters as a reader counts them, the last one an ellipsis if any were cut. */
export function elide(text: string, length: number): string {
  // A character has a code unit at least. Segmenting takes longer than all else of drawing a label.
  if (text.length <= length) return text;
  // No reader's character is longer than this many code units on average: bounds the work on huge tokens.
  const bounded = text.length > length * 16 ? text.slice(0, length * 16) : text;
  const characters = Array.from(segmenter.segment(bounded), ({ segment }) => segment);
  if (characters.length <= length && bounded === text) return text;
  return `${characters.slice(0, Math.max(0, length - 1)).join("")}…`;
}
