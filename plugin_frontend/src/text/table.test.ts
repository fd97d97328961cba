import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SHORTCUTS } from "../state/keys";
import { KEY_TEXT } from "./interface";
import { RULE_TEXT, STATISTIC_TEXT } from "./rules";
import { fill, initialLanguage, keyText, language, ruleSentence, ruleTitle, t, TEXT } from "./table";

const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();

afterEach(() => {
  language.value = "en";
});

describe("the table of strings", () => {
  it.each(Object.entries({ ...TEXT, ...KEY_TEXT }))("%s has both languages with the same places", (_, [en, zh]) => {
    expect(en.trim() && zh.trim()).not.toBe("");
    expect(places(zh)).toEqual(places(en));
  });

  it.each(Object.entries({ ...TEXT, ...KEY_TEXT }))("%s counts one of something as one", (_, [en]) => {
    const names = [...new Set(places(en))];
    const chosen = [...en.matchAll(/\{(\w+)\|/g)].map((match) => match[1] ?? "");
    expect(names).toEqual(expect.arrayContaining(chosen));
    const one = fill(en, Object.fromEntries(names.map((name) => [name, "1"])));
    // A verb of one thing ends like a noun of many; "1 × 1 weights" and "blocks of 4 × 4 weights" are sizes.
    expect(one).not.toMatch(/(?<!× |locks of )\b1 (?:\w+ )?(?!is|has|was|leads|looks|keeps|matches|differs|across|times)\w+s\b/);
  });

  it("speaks of bits and rollout in the reader's language", () => {
    expect(Object.entries(TEXT).filter(([, [, zh]]) => /\bbits?\b|(?<!（)\brollout\b/i.test(zh))).toEqual([]);
  });

  it("has both languages for every rule and statistic", () => {
    const pairs = [
      ...Object.values(RULE_TEXT).flatMap((rule) => [rule.title, rule.why, rule.advice]),
      ...Object.values(STATISTIC_TEXT).flatMap((statistic) => [statistic.name, statistic.definition]),
    ];
    expect(pairs.filter((pair) => pair.some((text) => text === ""))).toEqual([]);
  });

  it("holds nothing that no view says", () => {
    const root = join(import.meta.dirname, "..");
    const code = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((path) => /^(data|frame|views)\/.*\.tsx?$|^(main|standalone)\.tsx?$/.test(path) && !path.includes(".test."))
      .map((path) => readFileSync(join(root, path), "utf8"))
      .join("\n");
    expect(Object.keys(TEXT).filter((key) => !code.includes(`"${key}"`))).toEqual([]);
  });

  it("says what every key does", () => {
    for (const { action } of SHORTCUTS) expect(keyText(action)).not.toBe(action);
  });

  it("fills places once, and never inside what was filled in", () => {
    expect(fill("{a} {b}", { a: "{b}", b: "2" })).toBe("{b} 2");
    expect(fill("{constructor}", {})).toBe("{constructor}");
  });

  it("chooses between one and more by the number as it is written", () => {
    const text = "{n} {n|key differs|keys differ}";
    expect([1, 2, 0].map((n) => fill(text, { n }))).toEqual(["1 key differs", "2 keys differ", "0 keys differ"]);
    expect(fill(text, { n: "1" })).toBe("1 key differs");
    expect(fill(text, { n: "1,001" })).toBe("1,001 keys differ");
    expect(t("headsMean", { n: 1 })).toBe("mean over 1 example");
  });

  it("follows the language", () => {
    expect(t("runs")).toBe("Runs");
    language.value = "zh";
    expect(t("runs")).toBe("运行");
  });
});

describe("rules", () => {
  it("speak the reader's language when known, and as stored when not", () => {
    language.value = "zh";
    expect(ruleTitle("attention.padding_attended")).toBe("权重落在填充上");
    expect(ruleSentence("my.rule", "why", "stored why")).toBe("stored why");
    expect(ruleTitle("constructor")).toBe("constructor");
  });
});

describe("initialLanguage", () => {
  it("is the stored one, else the browser's, else English", () => {
    expect(initialLanguage("zh", ["en-US"])).toBe("zh");
    expect(initialLanguage("xx", ["zh-CN"])).toBe("zh");
    expect(initialLanguage(null, ["de"])).toBe("en");
    expect(initialLanguage(null, [])).toBe("en");
  });
});
