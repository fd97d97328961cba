import { describe, expect, it } from "vitest";
import { elideMiddle, visibleName, formatTick, formatTime, shownText } from "./format";

describe("formatTick", () => {
  it.each([
    [0, "0"],
    [1500, "1500"],
    [15000, "15k"],
    [2_500_000, "2.5M"],
    [100_000, "100k"],
    [-20_000, "−20k"],
  ])("%d is %s", (step, text) => expect(formatTick(step)).toBe(text));
});

describe("elideMiddle", () => {
  it("keeps both ends and counts characters, not code units", () => {
    expect(elideMiddle("finetune/upper-layers/seed=1", 16)).toBe("finetu…rs/seed=1");
    expect(elideMiddle("short", 16)).toBe("short");
    expect(Array.from(elideMiddle("😀".repeat(40), 10))).toHaveLength(10);
  });
});

describe("shownText", () => {
  it("disarms what turns text around or hides, and leaves every script alone", () => {
    expect(shownText("a\u202eb\u0000")).toBe("a⟨202E⟩b⟨0000⟩");
    expect(shownText("a\nb")).toBe("a b");
    const scripts = "العربية 中文 👩\u200d👧 नमस्ते";
    expect(shownText(scripts)).toBe(scripts);
    expect(elideMiddle("\u202eab", 40)).toBe("⟨202E⟩ab");
  });
});

describe("formatTime", () => {
  it("does not pretend to know a time that was not logged", () => {
    expect(formatTime(0, "en")).toBe("?");
    expect(formatTime(NaN, "en")).toBe("?");
  });
});

describe("visibleName", () => {
  it("shows what would look like nothing", () => {
    expect(["", " ", "\t", "run a"].map(visibleName)).toEqual(["∅", "␣", "⟨0009⟩", "run a"]);
  });
});
