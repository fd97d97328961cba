// What base/format.ts leaves open: short axis labels, points in time, long names.

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
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(secondsSinceEpoch * 1000),
  );
}

/** The middle of a long name is left out, so that a shared prefix does not hide what differs. */
export function elideMiddle(text: string, longest: number): string {
  const characters = Array.from(text.slice(0, 4096));
  if (characters.length <= longest) return text;
  const tail = Math.floor((longest - 1) * 0.6);
  return `${characters.slice(0, longest - 1 - tail).join("")}…${characters.slice(-tail).join("")}`;
}
