// What the page loads later than its first picture.
import { expect, test } from "./tensorboard";

test("a view whose code does not come says so, and comes when asked again", async ({ open, page }) => {
  await page.route("**/static/anomalies-*.js", (route) => route.abort());
  const frame = await open("ordinary", "&p.llmdebug.view=anomalies");
  await expect(frame.getByTestId("failure")).toContainText("could not be loaded");
  await expect(frame.getByTestId("tab-attention")).toBeVisible();
  await page.unroute("**/static/anomalies-*.js");
  await frame.getByTestId("failure").getByRole("button").click();
  await expect(frame.getByTestId("anomaly")).toHaveCount(1);
});

test("the other views come on their own once the first picture is there", async ({ open, page }) => {
  const scripts: string[] = [];
  page.on("response", (answer) => {
    const name = /static\/([a-z]+)-[^/]*\.js$/.exec(answer.url())?.[1];
    if (name !== undefined) scripts.push(name);
  });
  const frame = await open("ordinary");
  await expect(frame.getByTestId("head-grid").first()).toBeVisible();
  await expect.poll(() => scripts).toEqual(expect.arrayContaining(["anomalies", "attributions", "view"]));
  await page.route("**/static/*.js", (route) => route.abort());
  await frame.getByTestId("tab-attributions").click();
  await expect(frame.getByTestId("strip").first()).toBeVisible();
});

test("the picture comes without the decoder, says what is missing, and has it after a reload", async ({ open, page }) => {
  await page.route("**/static/zstd-*.wasm", (route) => route.abort());
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  await expect(frame.getByTestId("grid-cursor")).toBeVisible();
  await expect(frame.getByTestId("failure")).toContainText("the decoder did not come");
  await page.unroute("**/static/zstd-*.wasm");
  await page.reload();
  await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
  await expect(frame.getByTestId("failure")).toHaveCount(0);
});
