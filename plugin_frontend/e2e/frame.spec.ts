// What stands around the views.
import type { Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

async function hash(page: Page): Promise<string> {
  await page.waitForTimeout(300); // longer than the page waits before it writes the hash
  return decodeURIComponent(new URL(page.url()).hash);
}

const rowOf = (frame: View, run: string) => frame.locator(`[data-testid=run][data-run="${run}"]`);

test("runs have the names and colours of TensorBoard", async ({ open, page }) => {
  const frame = await open("framed");
  const shown = await frame.getByTestId("run").evaluateAll((rows) =>
    rows.map((row) => [row.getAttribute("data-run"), getComputedStyle(row).getPropertyValue("--run").trim()]),
  );
  await page.goto(page.url().replace(/#.*/, "#timeseries"));
  const listed = page.locator("runs-data-table, .run-table, runs-table").first();
  await expect(listed).toBeVisible({ timeout: 30_000 });
  for (const [run, colour] of shown) {
    await expect(listed).toContainText(run ?? "none");
    expect(colour).toMatch(/^#[0-9a-f]{6}$/i);
  }
  const theirs = await listed.locator("button.run-color-swatch, .run-color-swatch").evaluateAll((swatches) =>
    swatches.map((swatch) => getComputedStyle(swatch).backgroundColor),
  );
  const rgb = (hex: string): string => `rgb(${[1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(", ")})`;
  expect(new Set(theirs)).toEqual(new Set(shown.map(([, colour]) => rgb(colour ?? ""))));
});

test("the loss curve stands behind the scrubber, and its value beside the step", async ({ open, page }) => {
  const frame = await open("framed", "&p.llmdebug.runs=first");
  await expect(frame.locator(".axis path.curve")).toHaveCount(1);
  await expect(frame.getByTestId("readout")).toContainText("map stored");
  const value = frame.getByTestId("readout");
  await expect(value).toContainText("0.5");
  await page.keyboard.press("[");
  await expect(value).toContainText("0.6");
});

test("a view without data has no tab", async ({ open }) => {
  const bare = await open("framed");
  await expect(bare.getByTestId("tab-attention")).toBeVisible();
  await expect(bare.getByTestId("tab-attributions")).toHaveCount(0);
  await expect(bare.getByTestId("tab-anomalies")).toHaveCount(0);
  const full = await open("ordinary");
  for (const view of ["attention", "heads", "attributions", "anomalies"]) await expect(full.getByTestId(`tab-${view}`)).toBeVisible();
});

test("a link reopens the exact view, and says only what is not as usual", async ({ open, page, context }) => {
  const frame = await open("ordinary");
  await expect(frame.getByTestId("focus-map").first()).toBeVisible();
  expect(await hash(page)).not.toContain("p.llmdebug.");
  const shown = frame.getByTestId("run").filter({ has: frame.getByRole("checkbox", { checked: true }) });
  const left = (await shown.nth(1).getAttribute("data-run")) ?? "none";
  await rowOf(frame, left).getByRole("checkbox").uncheck();
  await frame.getByTestId("examples").getByRole("button").nth(1).click();
  await frame.getByTestId("grid-cursor").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("[");
  await frame.getByTestId("scale").selectOption("linear");
  const title = (await frame.getByTestId("head-title").textContent()) ?? "none";
  const link = await hash(page);
  for (const part of ["runs=", "example=1", "layer=1", "step=80", "scale=linear"]) expect(link).toContain(`p.llmdebug.${part}`);
  expect(link).not.toContain("p.llmdebug.difference");
  const again = await context.newPage();
  await again.goto(page.url());
  const copy = again.locator("iframe").first().contentFrame();
  await expect(copy.getByTestId("head-title")).toHaveText(title, { timeout: 30_000 });
  await expect(copy.getByTestId("panel-step").first()).toContainText("80");
  await expect(copy.getByTestId("scale")).toHaveValue("linear");
  await expect(rowOf(copy, left).getByRole("checkbox")).not.toBeChecked();
  await again.close();
});
