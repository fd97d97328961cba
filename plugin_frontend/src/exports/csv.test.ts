import { describe, expect, it } from "vitest";
import { csv, numberCell, textCell } from "./csv";

describe("textCell", () => {
  it("quotes what would break a line or a cell", () => {
    expect(textCell('say "hi", then')).toBe('"say ""hi"", then"');
    expect(textCell("two\nlines")).toBe('"two\nlines"');
    expect(textCell(" the")).toBe('" the"');
    expect(textCell("plain")).toBe("plain");
  });

  it("never lets a text begin a formula", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "\n=1"]) {
      const written = textCell(text);
      expect(written.replace(/^"/, "")).toMatch(/^'/);
    }
    expect(textCell("=HYPERLINK(\"http://x\")")).toBe("\"'=HYPERLINK(\"\"http://x\"\")\"");
    expect(textCell("a=1")).toBe("a=1");
  });
});

describe("numberCell", () => {
  it("keeps every float32 exactly, with few digits", () => {
    const values = Float32Array.of(0.1, 1 / 3, 1e-20, 123456.789, -0.3, 1, 16777217, 3.4028234e38);
    for (const value of values) expect(Math.fround(Number(numberCell(value)))).toBe(value);
    expect(numberCell(Math.fround(0.1))).toBe("0.1");
    expect(numberCell(1)).toBe("1");
  });

  it("keeps steps beyond float32", () => {
    expect(numberCell(9007199254740991)).toBe("9007199254740991");
    expect(numberCell(0.1)).toBe("0.1");
  });

  it("writes what is not finite as pandas reads it", () => {
    expect([NaN, Infinity, -Infinity].map(numberCell)).toEqual(["NaN", "inf", "-inf"]);
  });
});

it("a table is a line of names and a line per row; a negative number stays a number", () => {
  const text = csv({ header: ["token", "=weight"], rows: [["=cmd", -0.5], [null, 1]] });
  expect(text).toBe("token,'=weight\r\n'=cmd,-0.5\r\n,1\r\n");
});
