import { describe, expect, it } from "vitest";
import { rangesText } from "./ranges";

describe("rangesText", () => {
  it.each([
    [[], ""],
    [[3], "3"],
    [[3, 4], "3, 4"],
    [[0, 1, 2, 4], "0–2, 4"],
    [[4, 5, 6, 7, 9, 11, 12, 13], "4–7, 9, 11–13"],
  ])("writes %j as %j", (numbers, text) => expect(rangesText(numbers)).toBe(text));
});
