// A link that is shared shows what was on screen: the same part of the map, the same numbers, the same way to play.
import type { BrowserContext, Page } from "@playwright/test";
import { expect, pluginFrame, test, type View } from "./tensorboard";

/** The address as it stands now, opened by somebody else. */
async function opened(page: Page, context: BrowserContext): Promise<[Page, View]> {
  await page.waitForTimeout(600); // longer than the page waits before it writes the hash
  const again = await context.newPage();
  await again.setViewportSize(page.viewportSize() ?? { width: 1440, height: 900 });
  await again.goto(page.url());
  const frame = pluginFrame(again);
  await expect(frame.getByTestId("page")).toBeVisible({ timeout: 30_000 });
  return [again, frame];
}

/** The weights as they are drawn. */
const weights = (frame: View): Promise<string> =>
  frame.locator(".focus-canvas canvas").first().evaluate((canvas) => (canvas instanceof HTMLCanvasElement ? canvas.toDataURL() : ""));

for (const [kind, hash] of [
  ["edges", "&p.llmdebug.runs=long&p.llmdebug.layer=0&p.llmdebug.head=1"],
  ["sinks", "&p.llmdebug.runs=long&p.llmdebug.name=long"],
  ["rows", "&p.llmdebug.runs=long"],
  ["pooled", "&p.llmdebug.step=10"],
] as const) {
  test(`the part of a map in sight is in the link, ${kind}`, async ({ open, page, context }) => {
    const frame = await open(kind, hash);
    await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
    await page.waitForTimeout(300);
    const whole = await weights(frame);
    const box = await frame.locator(".focus-canvas").boundingBox();
    if (box === null) throw new Error("the map has no box");
    const [x, y] = [box.x + box.width * 0.6, box.y + box.height * 0.6];
    await page.mouse.move(x, y);
    for (let turn = 0; turn < 5; turn += 1) await page.mouse.wheel(0, -120);
    await page.mouse.down();
    await page.mouse.move(x - 40, y - 25, { steps: 4 });
    await page.mouse.up();
    await page.mouse.move(5, 400);
    await expect.poll(() => decodeURIComponent(page.url())).toContain("p.llmdebug.part=");
    const [again, copy] = await opened(page, context);
    await again.mouse.move(5, 400);
    await expect(copy.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
    const shown = await weights(frame);
    expect(shown).not.toBe(whole);
    await expect.poll(() => weights(copy)).toBe(shown);
    // Read, drawn and written again it is the same link.
    await again.waitForTimeout(600);
    expect(again.url()).toBe(page.url());
    await again.close();
  });
}

test("the table's statistic, and whether the steps are played round and round, are in the link", async ({ open, page, context }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights&p.llmdebug.table=1");
  const statistic = frame.getByTestId("grid-table").getByRole("combobox");
  await statistic.selectOption("first_token");
  await frame.getByTestId("loop").click();
  const cells = frame.getByTestId("grid-table").locator("tbody");
  const text = (await cells.textContent()) ?? "";
  const [again, copy] = await opened(page, context);
  await expect(copy.getByTestId("grid-table").getByRole("combobox")).toHaveValue("first_token");
  await expect(copy.getByTestId("grid-table").locator("tbody")).toHaveText(text);
  await expect(copy.getByTestId("loop")).toHaveAttribute("aria-pressed", "false");
  await again.close();
});

test("a link that asks for no such statistic and for a part that no map has shows what there is", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights&p.llmdebug.table=1&p.llmdebug.statistic=nonesuch&p.llmdebug.part=16000000,16000000,0.001,0.001");
  await expect(frame.getByTestId("grid-table").getByRole("combobox")).toHaveValue("entropy");
  await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
});
