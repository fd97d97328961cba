// One picture per view. `npm run e2e:pictures` takes them anew after a change that was meant.
//
// Fonts differ from machine to machine, so every character is drawn as the same box: what is compared is where
// everything stands, its size and its colours. The words have journeys of their own.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "./tensorboard";

const PYTHON = process.env["PYTHON"] ?? "python3";
const SCRIPT = fileURLToPath(new URL("box_font.py", import.meta.url));

const VIEWS: Readonly<Record<string, { readonly hash: string; readonly ready: string; readonly kind?: "matched" | "real" | "sinks" | "taught" }>> = {
  "attention": { hash: "&p.llmdebug.runs=all-weights,padding-mistake&p.llmdebug.example=1&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.query=8", ready: "focus-map" },
  "difference": { hash: "&p.llmdebug.a=0:all-weights&p.llmdebug.b=90:padding-mistake&p.llmdebug.difference=1&p.llmdebug.layer=1&p.llmdebug.head=2", ready: "focus-map" },
  "architectures": { hash: "&p.llmdebug.runs=llama,mistral,jamba&p.llmdebug.layer=1&p.llmdebug.head=5", ready: "head-notes", kind: "real" },
  "over-time": { hash: "&p.llmdebug.runs=all-weights,padding-mistake&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.multiples=on", ready: "multiples-cursor" },
  "lens": { hash: "&p.llmdebug.lens=mass%3D90%3Blens%3Drollout", ready: "lens-map", kind: "sinks" },
  "not-finite": { hash: "&p.llmdebug.runs=translator&p.llmdebug.layer=0&p.llmdebug.head=1", ready: "focus-map", kind: "sinks" },
  "clipped": { hash: "&p.llmdebug.runs=decoder&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.exposure=8", ready: "focus-map", kind: "sinks" },
  "teaching": { hash: "&p.llmdebug.runs=gpt2&p.llmdebug.step=10&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.teaching=softmax", ready: "teach-row", kind: "taught" },
  "heads": { hash: "&p.llmdebug.view=heads&p.llmdebug.runs=all-weights,padding-mistake&p.llmdebug.layer=1&p.llmdebug.head=2", ready: "spark-grid" },
  "attributions": { hash: "&p.llmdebug.view=attributions&p.llmdebug.runs=all-weights", ready: "strip" },
  "anomalies": { hash: "&p.llmdebug.view=anomalies", ready: "anomaly" },
};

/** In every frame, before any script: text as boxes, in the page and on canvases. */
function drawBoxes(font: string): void {
  const face = new FontFace("Box", Uint8Array.from(atob(font), (letter) => letter.charCodeAt(0)).buffer);
  document.fonts.add(face);
  void face.load();
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("*, *::before, *::after { font-family: Box !important; font-weight: 400 !important; font-style: normal !important; caret-color: transparent !important; }");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const font2d = Object.getOwnPropertyDescriptor(CanvasRenderingContext2D.prototype, "font")!;
  Object.defineProperty(CanvasRenderingContext2D.prototype, "font", {
    ...font2d,
    set(value: string) {
      font2d.set?.call(this, `${/[\d.]+px/.exec(value)?.[0] ?? "11px"} Box`);
    },
  });
}

for (const [name, { hash, ready, kind = "ordinary" }] of Object.entries(VIEWS)) {
  for (const scheme of name === "attention" ? (["light", "dark"] as const) : (["light"] as const)) {
    test(`${name} looks as it did, ${scheme}`, async ({ open, page }) => {
      const font = execFileSync(PYTHON, [SCRIPT], { encoding: "utf8" }).trim();
      await page.addInitScript(drawBoxes, font);
      await page.setViewportSize({ width: 1280, height: 800 });
      const frame = await open(kind, hash);
      await page.evaluate((on) => document.body.classList.toggle("dark-mode", on), scheme === "dark");
      await expect(frame.locator("html")).toHaveAttribute("data-theme", scheme);
      await expect(frame.getByTestId(ready).first()).toBeVisible();
      await expect(frame.locator("[data-stale=true], [aria-busy=true]")).toHaveCount(0);
      await page.mouse.move(640, 20);
      // Anti-aliasing may differ; a line that moved or a colour that changed is more than this.
      await expect(page.locator("iframe").first()).toHaveScreenshot(`${name}-${scheme}.png`, {
        animations: "disabled",
        maxDiffPixelRatio: 0.003,
        threshold: 0.15,
        timeout: 30_000,
      });
    });
  }
}
