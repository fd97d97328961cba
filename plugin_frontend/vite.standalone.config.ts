// The saved page: everything in one HTML file, which the export fills with data. It is served as text:
// as a page of TensorBoard's it would have TensorBoard's rights.
import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vitest/config";

const placeholder = "%LLMDEBUG-DATA%";

/** What would end or confuse a script element. */
const inScript = (code: string): string => code.replace(/<\/(script)/gi, "<\\/$1").replaceAll("<!--", "<\\!--");

function page(code: string, licences: string): string {
  const script = inScript(code);
  // Only this very script runs, whatever else may get into the page, and nothing leaves it.
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${createHash("sha256").update(script).digest("base64")}' 'wasm-unsafe-eval'`,
    "style-src 'unsafe-inline'",
    "img-src data: blob:",
    "connect-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<meta name="generator" content="tb_llmdebug">
<title>LLM Debugger</title>
</head>
<body>
<script type="text/plain" id="licences">
${inScript(licences)}
</script>
<script type="application/octet-stream" id="llmdebug-data">${placeholder}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** Replaces what was built by the one file. */
function onePage(): Plugin {
  return {
    name: "one-page",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle): void {
        let code = "";
        let licences = "";
        for (const [name, file] of Object.entries(bundle)) {
          if (file.type === "chunk" && file.isEntry) code = file.code;
          else if (file.type === "asset" && name.endsWith(".md")) licences = String(file.source);
          // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- how a bundle is changed
          delete bundle[name];
        }
        this.emitFile({ type: "asset", fileName: "standalone.page", source: page(code, licences) });
      },
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [onePage()],
  // An inline script has no address of its own.
  define: { "import.meta.url": "document.baseURI", "import.meta": "{}" },
  build: {
    outDir: "../tb_llmdebug/plugin/static",
    emptyOutDir: false,
    target: "es2022",
    assetsInlineLimit: 1 << 30,
    modulePreload: false,
    cssCodeSplit: false,
    license: { fileName: "licences.md" },
    rolldownOptions: {
      input: { standalone: "src/standalone.ts" },
      output: { format: "iife", codeSplitting: false },
    },
  },
  worker: { format: "es" },
});
