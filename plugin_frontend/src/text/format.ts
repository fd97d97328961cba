// What base/format.ts leaves open: short axis labels, points in time, long names.
import { withoutPiles } from "../base/tokens";

const MINUS = "−";

/** Short form for axis labels: 15000 -> 15k. */
export function formatTick(step: number): string {
  const size = Math.abs(step);
  const sign = step < 0 ? MINUS : "";
  if (size >= 1e9) return `${sign}${trimmed(size / 1e9)}G`;
  if (size >= 1e6) return `${sign}${trimmed(size / 1e6)}M`;
  if (size >= 1e4) return `${sign}${trimmed(size / 1e3)}k`;
  return `${sign}${size}`;
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function formatTime(secondsSinceEpoch: number, language: string): string {
  if (!Number.isFinite(secondsSinceEpoch) || secondsSinceEpoch <= 0) return "?";
  // With seconds: a run that crashed at its start is restarted within the minute.
  return new Intl.DateTimeFormat(language, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).format(new Date(secondsSinceEpoch * 1000));
}

const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu;
const JOINERS = new Set(["\u200c", "\u200d", "\ufe0f"]);

/** Logged names and sentences with what is invisible or turns the text around shown by number. */
export function shownText(text: string): string {
  // Where they join nothing, nothing would be seen.
  const onlyJoiners = Array.from(text).every((character) => JOINERS.has(character));
  return withoutPiles(text).replace(INVISIBLE, (character) => {
    if (JOINERS.has(character) && !onlyJoiners) return character;
    if (character === "\n" || character === "\t") return " ";
    return `⟨${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`;
  });
}

/** A logged name that can be seen: one of nothing but spaces, or of nothing at all, by glyphs. */
export function visibleName(name: string): string {
  if (name === "") return "∅";
  return /^\s+$/u.test(name) ? name.replace(/\s/gu, (space) => (space === " " ? "␣" : `⟨${(space.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`)) : shownText(name);
}

/** The middle of a long name is left out, so that a shared prefix does not hide what differs. */
export function elideMiddle(text: string, longest: number): string {
  const characters = Array.from(shownText(text.slice(0, 4096)));
  if (characters.length <= longest) return characters.join("");
  const tail = Math.floor((longest - 1) * 0.6);
  return `${characters.slice(0, longest - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}
