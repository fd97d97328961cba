import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const source = dirname(fileURLToPath(import.meta.url));

/** A folder may import from folders of lower or equal rank, never from a higher one. */
const rank: Record<string, number> = {
  gen: 0,
  base: 0,
  text: 1,
  style: 1,
  data: 2,
  render: 3,
  exports: 3.5,
  state: 4,
  frame: 5,
  views: 5,
  main: 6,
  "main.tsx": 6,
  "entry.ts": 7,
  "page.d.ts": 0,
  "standalone.ts": 7,
};

function folderOf(path: string): string {
  return relative(source, path).split(sep)[0] ?? "";
}

function sourceFiles(): string[] {
  return readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !path.includes(".test.") && !path.startsWith("gen"))
    .map((path) => join(source, path));
}

function relativeImports(code: string): string[] {
  const found = code.matchAll(/(?:from|import|import\()\s*["'](\.[^"']*)["']|new URL\(\s*["'](\.[^"']*\.tsx?)["']/g);
  return [...found].map((match) => match[1] ?? match[2] ?? "");
}

function upwardImports(file: string, code: string): string[] {
  const own = rank[folderOf(file)];
  return relativeImports(code).filter((path) => {
    const target = rank[folderOf(join(dirname(file), path))];
    return target === undefined || own === undefined || target > own;
  });
}

describe("layers", () => {
  it("gives every folder a rank", () => {
    const unknown = sourceFiles().filter((file) => rank[folderOf(file)] === undefined);
    expect(unknown.map((file) => relative(source, file))).toEqual([]);
  });

  it("point one way", () => {
    const wrong = sourceFiles().flatMap((file) =>
      upwardImports(file, readFileSync(file, "utf8")).map((path) => `${relative(source, file)} -> ${path}`),
    );
    expect(wrong).toEqual([]);
  });

  it("would report an upward import", () => {
    const file = join(source, "base", "example.ts");
    expect(upwardImports(file, 'import { a } from "../data/client";')).toEqual(["../data/client"]);
    expect(upwardImports(file, 'const w = new URL("../render/x.ts", import.meta.url);')).toHaveLength(1);
    expect(upwardImports(join(source, "render", "x.ts"), 'import "../base/lru";')).toEqual([]);
  });
});
