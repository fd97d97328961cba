// What a strip of attributions says, on the page and in a figure.
import { formatPercent } from "../base/format";
import { elide, tokenGlyphs } from "../base/tokens";
import type { AttributionStepInfo } from "../data/types";
import { stretches, type Completeness, type Stretch } from "../state/strips";
import { shownText } from "../text/format";
import { t, type TextKey } from "../text/table";

/** Tokens of a strip that are drawn. */
export const MOST_TOKENS = 1024;

const VERDICT: Readonly<Record<Completeness["verdict"], TextKey>> = {
  good: "completenessGood",
  fair: "completenessFair",
  poor: "completenessPoor",
};

export function verdictText({ verdict, ofOutput, ofScores }: Completeness): string {
  const share = ofOutput ?? ofScores;
  return `${t(VERDICT[verdict])} ${share === undefined ? "–" : formatPercent(share)}`;
}

/** What the scores of a step explain, as it can be seen: the next token is often white space. */
export function targetText(strip: AttributionStepInfo): string {
  return elide(tokenGlyphs(strip.target), 60);
}

/** A token as it can be seen, or its position where none were logged. */
export function stripToken({ tokens }: AttributionStepInfo, place: number): string {
  const text = tokens?.text[place];
  return text === undefined ? String(place) : elide(tokenGlyphs(text, tokens?.part[place] ?? 0, tokens?.parts[place] ?? 0), 40);
}

export function stripParts({ tokens, scores }: AttributionStepInfo, folded: boolean): Stretch[] {
  return stretches(tokens, scores.subarray(0, MOST_TOKENS), folded);
}

export function partText(strip: AttributionStepInfo, { start, length }: Stretch): string {
  return length > 1 ? `${stripToken(strip, start)} × ${length}` : stripToken(strip, start);
}

export function methodText(strip: AttributionStepInfo, withTarget: boolean): string {
  const parts = [
    `${t("method")}: ${strip.method}`,
    ...(strip.rule === "" ? [] : [`${t("rule")}: ${strip.rule}`]),
    ...(strip.quadratureSteps > 0 ? [t("quadratureSteps", { n: strip.quadratureSteps })] : []),
    ...(strip.baseline === "" ? [] : [`${t("baseline")}: ${strip.baseline}`]),
    ...(withTarget ? [] : [t("targetsVary")]),
    ...(withTarget && strip.target !== "" ? [t("target", { target: targetText(strip) })] : []),
    ...(strip.delta === null ? [t("completenessUnknown")] : []),
  ];
  return shownText(parts.join(" · "));
}
