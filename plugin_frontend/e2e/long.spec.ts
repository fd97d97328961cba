// Maps that were too large to keep: blocks of weights, chosen query rows, thousands of heads.
import type { Locator, Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

test.use({ framed: false });

/** Moves the pointer to a place in an element, given as shares of its size. */
async function pointAt(page: Page, element: Locator, across: number, down: number): Promise<void> {
  const box = await element.boundingBox();
  if (box === null) throw new Error("there is nothing to point at");
  await page.mouse.move(box.x + across * box.width, box.y + down * box.height);
}

const canvas = (frame: View, run = "long"): Locator =>
  frame.locator(`[data-testid=panel][data-run="${run}"] .focus-canvas`).first();

test.describe("maps kept as blocks", () => {
  test("say how they were pooled, and read out blocks of tokens", async ({ open, page }) => {
    const frame = await open("pooled", "&p.llmdebug.step=10");
    await expect(frame.getByTestId("caption")).toContainText("256 × 256 tokens · max-pooled 4 × 4");
    await expect(frame.getByTestId("reduction")).toContainText("Max- and mean-pooled 4 x 4: the maps of this step");
    await pointAt(page, canvas(frame), 0.35, 0.5);
    const readout = frame.getByTestId("cell-readout");
    await expect(readout).toHaveText(/^tokens \d+–\d+ looking at tokens \d+–\d+: largest [\d.e−]+$/);
    const [, first = "", last = ""] = /tokens (\d+)–(\d+) looking/.exec((await readout.textContent()) ?? "") ?? [];
    expect(Number(first) % 4).toBe(0);
    expect(Number(last)).toBe(Number(first) + 3);
    await expect(frame.getByTestId("running-text")).toContainText(`tokens ${first}–${last} look at`);
  });

  test("show their largest or mean weight, chosen by key, control or link", async ({ open, page }) => {
    const frame = await open("pooled", "&p.llmdebug.step=10");
    await expect(canvas(frame)).toBeVisible();
    await page.keyboard.press("m");
    await expect(frame.getByTestId("caption")).toContainText("mean-pooled 4 × 4");
    await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
    await pointAt(page, canvas(frame), 0.35, 0.5);
    await expect(frame.getByTestId("cell-readout")).toContainText(": mean ");
    await expect.poll(() => decodeURIComponent(new URL(page.url()).hash)).toContain("p.llmdebug.pool=mean");
    await frame.getByTestId("pool").selectOption("max");
    await expect(frame.getByTestId("caption")).toContainText("max-pooled 4 × 4");
    // Written a moment later: over the link, if that were opened before.
    await expect.poll(() => decodeURIComponent(new URL(page.url()).hash)).not.toContain("p.llmdebug.pool=mean");
    const linked = await open("pooled", "&p.llmdebug.step=20&p.llmdebug.pool=mean");
    await expect(linked.getByTestId("caption")).toContainText("mean-pooled 8 × 8");
  });

  test("are subtracted where their blocks are the same", async ({ open, page }) => {
    const frame = await open("pooled", "&p.llmdebug.a=0:long&p.llmdebug.b=10:long&p.llmdebug.difference=1");
    const panel = frame.locator("[data-testid=panel][data-side=difference]");
    await expect(panel.getByTestId("caption")).toContainText("Blocks of 4 × 4 weights are compared");
    await expect(panel.getByTestId("head-grid")).toBeVisible();
    await expect(panel.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
    await pointAt(page, panel.locator(".focus-canvas"), 0.7, 0.7);
    await expect(panel.getByTestId("cell-readout")).toContainText(/: largest changed by −?[\d.e−]+/);
  });

  for (const [b, blocks] of [[20, "8 × 8"], [30, "1 × 1"]] as const) {
    test(`are not subtracted from ${blocks}, with a sentence`, async ({ open }) => {
      const frame = await open("pooled", `&p.llmdebug.a=0:long&p.llmdebug.b=${b}:long&p.llmdebug.difference=1`);
      const panel = frame.locator("[data-testid=panel][data-side=difference]");
      await expect(panel.getByRole("alert")).toContainText("A and B cannot be compared");
      await expect(panel.getByTestId("head-grid")).toHaveCount(0);
    });
  }
});

test.describe("64 rows of 32,768 tokens", () => {
  test("open beside a run with every row, and name their positions", async ({ open, page }) => {
    const frame = await open("rows");
    const panel = frame.locator("[data-testid=panel][data-run=long]");
    await expect(panel.getByTestId("caption")).toContainText("64 of 32,768 query rows × 32,768 keys");
    await expect(frame.locator("[data-testid=panel][data-run=short]").getByTestId("caption")).toContainText("10 × 10 tokens");
    await expect(panel.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
    await pointAt(page, canvas(frame), 0.6, 0.7);
    await expect(panel.getByTestId("cell-readout")).toHaveText(/^“\S+” \([\d,]+\) → “\S+” \([\d,]+\): [\d.e−]+$/);
    // Thousands of tokens are never all in the page.
    expect(await panel.locator(".token").count()).toBeLessThanOrEqual(1024);
  });

  test("are chosen by a click; the text follows and shows the row's lines", async ({ open, page }) => {
    const frame = await open("rows", "&p.llmdebug.runs=long");
    const panel = frame.locator("[data-testid=panel][data-run=long]");
    await expect(panel.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
    await pointAt(page, canvas(frame), 0.6, 0.9);
    await page.mouse.down();
    await page.mouse.up();
    await expect.poll(() => decodeURIComponent(new URL(page.url()).hash)).toMatch(/p\.llmdebug\.query=\d{4,5}/);
    const query = /query=(\d+)/.exec(decodeURIComponent(new URL(page.url()).hash))?.[1] ?? "";
    await page.mouse.move(5, 300);
    const text = panel.getByTestId("running-text");
    await expect(text.locator(`[data-token="${query}"]`)).toHaveAttribute("data-kept", "true");
    await expect(text.locator(`[data-token="${query}"]`)).toBeInViewport();
    await expect(text.locator("svg path").first()).toBeAttached();
    await expect(text).toContainText(/looks at · [\d.]+ % set aside · top \d+ of [\d,]+ keys, [\d.]+ % of the rest drawn/);
    await text.locator(`[data-token="${Number(query) - 1}"]`).hover();
    await expect(text).toContainText("is not among the 64 query rows that were kept");
  });

  test("zoom in until single tokens are named, and back", async ({ open, page }) => {
    const frame = await open("rows", "&p.llmdebug.runs=long");
    await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
    await pointAt(page, canvas(frame), 0.6, 0.6);
    for (let turn = 0; turn < 30; turn += 1) await page.mouse.wheel(0, -120);
    await expect(frame.getByRole("button", { name: "Fit" })).toBeVisible();
    await frame.getByRole("button", { name: "Fit" }).click();
    await expect(frame.getByRole("button", { name: "Fit" })).toHaveCount(0);
  });
});

test.describe("64 x 64 heads of 2,048 tokens", () => {
  test("open, and every head can be reached by scrolling and by key", async ({ open }) => {
    test.slow();
    const frame = await open("heads");
    await expect(frame.getByTestId("caption")).toContainText("2,048 × 2,048 tokens · max-pooled 16 × 16 · thumbnails max-pooled");
    await expect(frame.getByTestId("focus-map")).toBeVisible();
    expect(await frame.locator("body").evaluate((body) => body.querySelectorAll("*").length)).toBeLessThan(4096);
    const cursor = frame.getByTestId("grid-cursor");
    await cursor.focus();
    for (let press = 0; press < 63; press += 1) await cursor.press("ArrowRight");
    await cursor.press("ArrowDown");
    await expect(frame.getByTestId("head-title")).toContainText("Layer 1, head 63");
    await expect(cursor).toBeInViewport();
    await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
  });
});
