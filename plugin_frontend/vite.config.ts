import { defineConfig } from "vitest/config";

// TensorBoard imports <plugin>/index.js into a blank document and serves what stands beside it under
// static/. It sends a Content-Security-Policy, so nothing may be inlined as a data: URL.
const hashed = "static/[name]-[hash]";

// `npm run dev` has no data of its own: TENSORBOARD is the address of a server whose logs it shows.
const tensorboard = process.env["TENSORBOARD"] ?? "http://localhost:6006";

export default defineConfig({
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
      input: { index: "src/entry.ts" },
      preserveEntrySignatures: "strict",
      output: {
        entryFileNames: "index.js",
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
