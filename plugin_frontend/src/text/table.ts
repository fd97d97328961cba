// The one table of strings, and how it is read.
import { signal } from "@preact/signals";
import { EXPORT_TEXT } from "./exports";
import { HEADS_TEXT } from "./heads";
import { INTERFACE_TEXT, KEY_TEXT } from "./interface";
import { LENS_TEXT } from "./lens";
import { MODEL_TEXT } from "./models";
import { MULTIPLES_TEXT } from "./multiples";
import { RULE_TEXT, STATISTIC_TEXT, type RuleText } from "./rules";
import { SIMILAR_TEXT } from "./similar";
import { TEACHING_TEXT } from "./teaching";
import { VIEW_TEXT } from "./views";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** [English, Chinese] by key. */
export const TEXT = { ...INTERFACE_TEXT, ...VIEW_TEXT, ...HEADS_TEXT, ...EXPORT_TEXT, ...LENS_TEXT, ...MODEL_TEXT, ...MULTIPLES_TEXT, ...SIMILAR_TEXT, ...TEACHING_TEXT } as const;
export type TextKey = keyof typeof TEXT;
export type Params = Readonly<Record<string, string | number>>;

export const language = signal<Language>("en");

const place = (): 0 | 1 => (language.value === "zh" ? 1 : 0);

/**
 * Fills `{name}` places; `{name|one|more}` is the first word where the number of that name is 1, else the second. A
 * filled-in value is never itself filled.
 */
export function fill(template: string, params: Params): string {
  return template.replace(/\{(\w+)(?:\|([^{}|]*)\|([^{}|]*))?\}/g, (whole, name: string, one?: string, more?: string) => {
    if (!Object.hasOwn(params, name)) return whole;
    const value = String(params[name]);
    return (value === "1" ? one : more) ?? value;
  });
}

export function t(key: TextKey, params: Params = {}): string {
  return fill(TEXT[key][place()], params);
}

export function keyText(action: string): string {
  const name = action === "help" ? "helpKey" : action;
  return Object.hasOwn(KEY_TEXT, name) ? KEY_TEXT[name as keyof typeof KEY_TEXT][place()] : action;
}

export function statisticName(statistic: string): string {
  return Object.hasOwn(STATISTIC_TEXT, statistic)
    ? (STATISTIC_TEXT[statistic]?.name[place()] ?? statistic)
    : statistic;
}

export function statisticDefinition(statistic: string): string {
  return Object.hasOwn(STATISTIC_TEXT, statistic) ? (STATISTIC_TEXT[statistic]?.definition[place()] ?? "") : "";
}

export function ruleText(rule: string): RuleText | undefined {
  return Object.hasOwn(RULE_TEXT, rule) ? RULE_TEXT[rule] : undefined;
}

/** The title of a rule, or its id when the page does not know it. */
export function ruleTitle(rule: string): string {
  return ruleText(rule)?.title[place()] ?? rule;
}

/** Known rules speak the reader's language, unknown ones as they were stored. */
export function ruleSentence(rule: string, part: "why" | "advice", stored: string): string {
  return ruleText(rule)?.[part][place()] ?? stored;
}

export function isLanguage(text: string): text is Language {
  return LANGUAGES.some((one) => one === text);
}

/** The reader's language: as chosen before, else the browser's. */
export function initialLanguage(stored: string | null, browser: readonly string[]): Language {
  const known = LANGUAGES.find((one) => one === stored);
  if (known !== undefined) return known;
  return browser[0]?.toLowerCase().startsWith("zh") === true ? "zh" : "en";
}
