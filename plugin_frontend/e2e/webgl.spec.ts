// One journey with either painter of the thumbnails: WebGL2, which here is software, shows what Canvas2D shows.
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

const ANY_WEBGL = fileURLToPath(new URL("any_webgl.js", import.meta.url));
type Painter = "canvas2d" | "webgl2";
type Pictures = Readonly<Record<string, Buffer>>;

/** As one string, which is much faster to get out of the page than a list. */
async function pixels(frame: View): Promise<Buffer> {
  const text = await frame.getByTestId("head-grid").last().locator("canvas").first().evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    return Array.from({ length: canvas.height }, (_, row) => {
      const from = 4 * canvas.width * row;
      return String.fromCharCode(...data.slice(from, from + 4 * canvas.width));
    }).join("");
  });
  return Buffer.from(text, "latin1");
}

/** What the grid shows at each stage, painted by `painter` at all of them. */
async function journey(page: Page, frame: View, painter: Painter): Promise<Pictures> {
  const found: Record<string, Buffer> = {};
  const look = async (stage: string): Promise<void> => {
    await expect(frame.locator(`[data-testid=head-grid] [data-painter=${painter}]`), stage).not.toHaveCount(0);
    await expect(frame.locator(`[data-painter]:not([data-painter=${painter}])`), stage).toHaveCount(0);
    await expect(frame.locator("[data-testid=panel][data-stale=true]"), stage).toHaveCount(0);
    await page.waitForTimeout(300); // a frame or two for the canvases to follow
    found[stage] = await pixels(frame);
  };
  const grid = frame.getByTestId("head-grid").first().locator(".grid-canvas");
  await expect(frame.getByTestId("focus-map").first()).toHaveAttribute("data-stale", "false");
  // The first picture is Canvas2D's in any case; the context comes once the page is idle.
  await page.waitForTimeout(2500);
  await page.keyboard.press("]");
  await expect(frame.getByTestId("panel-step")).toContainText("10");
  await look("step");
  await grid.hover({ position: { x: 120, y: 100 } });
  await expect(frame.getByTestId("head-title")).toContainText("preview");
  await look("hover");
  await page.mouse.move(5, 400);
  await page.keyboard.press("Space");
  await expect(frame.getByTestId("panel-step")).not.toContainText("10");
  await page.keyboard.press("Space");
  await page.keyboard.press("Home");
  await frame.getByTestId("scrubber").focus();
  await page.keyboard.press("End");
  await expect(frame.getByTestId("panel-step")).toContainText("90");
  await look("after playing");
  await page.keyboard.press("b");
  await page.keyboard.press("Home");
  await page.keyboard.press("a");
  await page.keyboard.press("d");
  await expect(frame.locator("[data-testid=panel][data-side=difference] [data-testid=focus-map]")).toHaveAttribute("data-stale", "false");
  // New panels: again the first picture is Canvas2D's, until something changes.
  await page.waitForTimeout(2500);
  for (const dark of [true, false]) {
    await page.evaluate((on) => void document.body.classList.toggle("dark-mode", on), dark);
    await expect(frame.locator("html")).toHaveAttribute("data-theme", dark ? "dark" : "light");
    await look(`difference, ${dark ? "dark" : "light"}`);
  }
  return found;
}

test("WebGL2 shows what Canvas2D shows: open, step, hover, play, difference, dark", async ({ open, page }) => {
  test.setTimeout(240_000);
  const hash = "&p.llmdebug.runs=all-weights&p.llmdebug.step=0";
  const twin = await journey(page, await open("ordinary", hash), "canvas2d");
  await page.addInitScript({ path: ANY_WEBGL });
  await page.goto("about:blank");
  const webgl = await journey(page, await open("ordinary", hash), "webgl2");
  expect(Object.keys(webgl)).toEqual(Object.keys(twin));
  for (const [stage, one] of Object.entries(twin)) {
    const other = webgl[stage] ?? Buffer.alloc(0);
    expect(other.length, stage).toBe(one.length);
    let [coloured, different, worst] = [0, 0, 0];
    one.forEach((value, i) => {
      const off = Math.abs(value - (other[i] ?? 0));
      if (value > 0) coloured += 1;
      if (off > 0) different += 1;
      worst = Math.max(worst, off);
    });
    expect(coloured, stage).toBeGreaterThan(10_000);
    // One step of the colour map, where the two round differently; as in painters.spec.ts.
    expect(worst, stage).toBeLessThanOrEqual(6);
    expect(different, stage).toBeLessThan(coloured / 100);
  }
});
