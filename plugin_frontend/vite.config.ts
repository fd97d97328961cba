import { join } from "node:path";
import type { Plugin, Rolldown } from "vite";
import { defineConfig } from "vitest/config";

// TensorBoard imports <plugin>/index.js into a blank document and serves what stands beside it under
// static/. It sends a Content-Security-Policy, so nothing may be inlined as a data: URL.
const hashed = "static/[name]-[hash]";

const page = join(import.meta.dirname, "src", "main.tsx");

// `import url from "virtual:page"` in the entry: the address of the page's own code. An `import()` would come
// with a helper of Vite's in a file of its own, for which the first picture would have to wait.
const pageUrl: Plugin = {
  name: "page-url",
  resolveId: (source) => (source === "virtual:page" ? source : null),
  load: (id) => (id === "virtual:page" ? `export default new URL("PAGE_FILE", import.meta.url).href;` : null),
  generateBundle(_, bundle) {
    const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
    const target = chunks.find((chunk) => chunk.facadeModuleId === page);
    const entry = chunks.find((chunk) => chunk.fileName === "index.js");
    if (target === undefined || entry === undefined) this.error("The bundle lacks its entry or its page.");
    entry.code = entry.code.replace("PAGE_FILE", target.fileName);
  },
};

/** All that the page imports is one file, and only what it loads later are others. */
function partOfPage(id: string, graph: Rolldown.ChunkingContext): string | null {
  const found = new Set<string>([page]);
  for (const one of found) for (const next of graph.getModuleInfo(one)?.importedIds ?? []) found.add(next);
  return found.has(id) ? "main" : null;
}

// `npm run dev` has no data of its own: TENSORBOARD is the address of a server whose logs it shows.
const tensorboard = process.env["TENSORBOARD"] ?? "http://localhost:6006";

export default defineConfig({
  plugins: [pageUrl],
  server: { proxy: { "/data": { target: tensorboard, changeOrigin: true } } },
  base: "./",
  build: {
    outDir: "../tb_llmdebug/plugin/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    assetsDir: "static",
    modulePreload: false,
    // The notices of the bundled libraries travel with them into the wheel.
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      input: { index: "src/entry.ts", main: page },
      preserveEntrySignatures: "allow-extension",
      output: {
        entryFileNames: ({ name }) => (name === "index" ? "index.js" : `${hashed}.js`),
        codeSplitting: { groups: [{ name: partOfPage }] },
        chunkFileNames: `${hashed}.js`,
        assetFileNames: `${hashed}[extname]`,
      },
    },
  },
  worker: {
    format: "es",
    rolldownOptions: {
      output: {
        entryFileNames: `${hashed}.js`,
        chunkFileNames: `${hashed}.js`,
        assetFileNames: `${hashed}[extname]`,
      },
    },
  },
  // Pre-bundling would move the decoder away from the .wasm file that stands beside it.
  optimizeDeps: { exclude: ["@bokuweb/zstd-wasm"] },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
