import { describe, expect, it } from "vitest";
import { formatBytes, formatCount, formatNumber, formatPercent } from "./format";
import { clamp, lastAtOrBefore } from "./numbers";

describe("formatNumber", () => {
  it.each([
    [0, "0"],
    [0.012345, "0.0123"],
    [1.2345, "1.23"],
    [12.345, "12.3"],
    [999.9, "1000"],
    [1234.5, "1230"],
    [1234567, "1.23e6"],
    [0.00002, "2.00e−5"],
    [-0.5, "−0.500"],
    [0.99999, "1.00"],
    [NaN, "NaN"],
    [Infinity, "∞"],
    [-Infinity, "−∞"],
  ])("%d is %s", (value, text) => expect(formatNumber(value)).toBe(text));
});

describe("formatPercent", () => {
  it.each([
    [0.614, "61.4 %"],
    [1, "100 %"],
    [0.9999, "> 99.9 %"],
    [0.00001, "< 0.1 %"],
    [0, "0 %"],
    [-0.05, "−5.00 %"],
    [1.25, "125.0 %"],
  ])("%d is %s", (value, text) => expect(formatPercent(value)).toBe(text));
});

it("formats counts and bytes", () => {
  expect(formatCount(1234567)).toBe("1,234,567");
  expect(formatCount(999)).toBe("999");
  expect(formatBytes(512)).toBe("512 B");
  expect(formatBytes(1536)).toBe("1.5 KiB");
  expect(formatBytes(300 * 1024 * 1024)).toBe("300 MiB");
});

it("finds the last entry at or before a value", () => {
  expect(lastAtOrBefore([0, 10, 10, 20], 10)).toBe(2);
  expect(lastAtOrBefore([0, 10], -1)).toBe(-1);
  expect(lastAtOrBefore([0, 10], 99)).toBe(1);
  expect(lastAtOrBefore([], 1)).toBe(-1);
  expect(clamp(5, 0, 3)).toBe(3);
});
