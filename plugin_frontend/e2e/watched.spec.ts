// What happens to the logs while the page is open, and what the readers report.
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

const patient = { timeout: 30_000 };

const panelOf = (frame: View, run: string): Locator => frame.locator(`[data-testid=panel][data-run="${run}"]`);

test("runs that are renamed, restarted and deleted are followed, and something true is always shown", async ({
  open,
  serve,
}) => {
  test.slow();
  const { logdir, grow } = await serve("watched");
  const frame = await open("watched", "&p.llmdebug.runs=first,second&p.llmdebug.run=second");
  await expect(panelOf(frame, "first").getByTestId("panel-step")).toContainText("step 40");
  await expect(panelOf(frame, "second").getByTestId("focus-map")).toBeVisible();

  renameSync(join(logdir, "second"), join(logdir, "renamed"));
  await expect(frame.locator("[data-testid=run][data-run=renamed]")).toBeVisible(patient);
  await expect(frame.locator("[data-testid=run][data-run=second]")).toHaveCount(0, patient);
  await expect(panelOf(frame, "second")).toHaveCount(0);
  await expect(frame.getByTestId("missing")).toContainText("Run “second” is not in this log directory");
  await expect(panelOf(frame, "first").getByTestId("focus-map")).toHaveAttribute("data-stale", "false");

  await grow();
  await expect(frame.locator("[data-testid=run][data-run=first]").getByTestId("session")).toBeVisible(patient);
  await expect(panelOf(frame, "first").getByTestId("panel-step")).toContainText("step 20", patient);
  await expect(panelOf(frame, "first")).toHaveAttribute("data-stale", "false", patient);

  rmSync(join(logdir, "first"), { recursive: true });
  await expect(panelOf(frame, "renamed").getByTestId("focus-map")).toHaveAttribute("data-stale", "false", patient);
  await expect(panelOf(frame, "first")).toHaveCount(0, patient);

  rmSync(join(logdir, "renamed"), { recursive: true });
  await expect(frame.getByTestId("empty")).toBeVisible(patient);
  await grow();
  await expect(panelOf(frame, "first").getByTestId("focus-map")).toBeVisible(patient);
});

test("the workers of a distributed run are told apart", async ({ open, page }) => {
  const frame = await open("workers", "&p.llmdebug.step=1");
  const panel = panelOf(frame, "shared");
  const worker = panel.getByTestId("worker");
  await expect(worker).toHaveValue("0");
  // Two workers are no restart.
  await expect(frame.getByTestId("session")).toHaveCount(0);
  await expect(panel.getByTestId("head-grid")).toBeVisible();
  await page.waitForTimeout(300);
  const first = (await panel.getByTestId("head-grid").screenshot()).toString("base64");
  await worker.selectOption("1");
  await expect(panel).toHaveAttribute("data-stale", "false");
  await expect.poll(async () => (await panel.getByTestId("head-grid").screenshot()).toString("base64")).not.toBe(first);
  await expect.poll(() => decodeURIComponent(new URL(page.url()).hash)).toContain("p.llmdebug.worker=1");
  await page.keyboard.press("]");
  // Worker 1 did not log the last step.
  await expect(panel.getByTestId("panel-step")).toContainText("step 2");
  await expect(worker).toHaveValue("0");
  await expect(worker.getByRole("option", { name: "worker 1" })).toBeDisabled();
});

test("records that were lost are an anomaly with advice, marked on the scrubber", async ({ open }) => {
  const frame = await open("workers");
  await expect(frame.locator(".axis path.mark")).toHaveCount(1);
  await frame.getByTestId("tab-anomalies").click();
  await expect(frame.getByTestId("rule")).toContainText("Records could not be written");
  await expect(frame.getByTestId("rule")).toContainText("Make room on the disk");
  await expect(frame.getByTestId("anomaly")).toContainText("3 records were lost.");
});

test("steps without a map are told apart on the scrubber", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=dropped&p.llmdebug.step=10");
  await expect(frame.locator(".axis path.tick.dropped")).toHaveCount(1);
  await expect(frame.locator(".axis path.tick.full")).toHaveCount(1);
  await expect(frame.getByTestId("readout")).toContainText("map dropped");
  await page.keyboard.press("]");
  await expect(frame.getByTestId("readout")).toContainText("map stored");
});

test("a page whose code does not come says so", async ({ page, serve }) => {
  const { url } = await serve("ordinary");
  await page.route("**/static/main-*.js", (route) => route.abort());
  await page.goto(`${url}data/plugin_entry.html?name=llmdebug`);
  await expect(page.getByRole("alert")).toContainText("could not be loaded: reload it", patient);
});
