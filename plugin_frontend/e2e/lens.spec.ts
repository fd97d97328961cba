// How one head is looked at: sinks, edges, lenses, the top of the colour scale.
import { expect, test } from "./tensorboard";

test.use({ framed: false });

const ONE = "&p.llmdebug.runs=decoder&p.llmdebug.layer=0&p.llmdebug.head=1";

test("sets sinks aside by default, says how much they held, and shows them again", async ({ open, page }) => {
  const frame = await open("sinks", ONE);
  const caption = frame.getByTestId("caption");
  await expect(caption).toContainText(/first and special tokens set aside: \d+(\.\d+)? % of the weight/);
  const text = frame.getByTestId("running-text");
  await expect(text.locator("[data-token='0']")).toHaveAttribute("data-aside", "true");
  await text.locator("[data-token='5']").hover();
  await expect(text).toContainText(/“jumps” looks at · \d+(\.\d+)? % set aside · top \d+ of \d+ keys, \d+(\.\d+)? % of the rest drawn/);
  const readout = frame.getByTestId("cell-readout");
  await expect(readout).toContainText(/“jumps”: \d+(\.\d+)? % set aside/);

  await text.locator("[data-token='0']").hover();
  await frame.getByTestId("sinks").click();
  await expect(caption).not.toContainText("set aside");
  await expect(text.locator("[data-aside]")).toHaveCount(0);
  await expect.poll(() => page.url()).toContain("lens=sinks%3Dshown");
  await text.locator("[data-token='5']").hover();
  await expect(text).toContainText("of the weight drawn");

  await frame.getByTestId("head-title").click();
  await page.keyboard.press("s");
  await expect(caption).toContainText("set aside");
  await expect.poll(() => page.url()).not.toContain("lens=");
});

test("the same numbers in the page as from Python: a weight of the rest and of the whole row", async ({ open }) => {
  const frame = await open("sinks", `${ONE}&p.llmdebug.query=1&p.llmdebug.key=1&p.llmdebug.step=0`);
  // The second token sees itself and the sink only: all of the rest.
  await expect(frame.getByTestId("cell-readout")).toContainText(/“The” → “The”: 1\.00 · 0\.\d+ of the whole row/);
});

test("sets the same aside on both sides of a difference, and says what distances are of", async ({ open }) => {
  const frame = await open("sinks", `${ONE}&p.llmdebug.difference=1`);
  const difference = frame.locator("[data-side=difference]");
  await expect(difference.getByTestId("caption")).toContainText("sinks set aside on both sides, distances of the raw weights");
  const text = frame.locator("[data-side=B]").getByTestId("running-text");
  await text.locator("[data-token='6']").hover();
  await expect(difference.getByTestId("cell-readout")).toContainText("change of what is set aside");
});

test("attention to another text keeps its first key; a fault in it stays in sight", async ({ open }) => {
  const frame = await open("sinks", "&p.llmdebug.runs=translator&p.llmdebug.name=cross&p.llmdebug.query=2&p.llmdebug.key=3&p.llmdebug.head=1&p.llmdebug.layer=0");
  await expect(frame.getByTestId("caption")).toHaveText("4 × 6 tokens · every weight");
  await expect(frame.getByTestId("sinks")).toHaveAttribute("title", /first token of another text, which is a word like any other/);
  await expect(frame.getByTestId("cell-readout")).toContainText("NaN");
});

test("leaves only the edges that make up a share of each row, by pointer and by key", async ({ open, page }) => {
  const frame = await open("sinks", `${ONE}&p.llmdebug.query=7`);
  const readout = frame.getByTestId("cell-readout");
  const slider = frame.getByRole("slider", { name: "Edges" });
  await expect(readout).not.toContainText("keys:");
  await slider.focus();
  for (let i = 0; i < 5; i += 1) await page.keyboard.press("PageDown");
  await expect(slider).toHaveValue("50");
  await expect(readout).toContainText(/[1-6] of 7 keys: 50 %/);
  await expect.poll(() => page.url()).toContain("lens=mass%3D50");
  const lines = frame.getByTestId("running-text").locator("path");
  const few = await lines.count();
  // The arrows are the slider's own here, not those of the heads.
  await page.keyboard.press("ArrowLeft");
  await expect(slider).toHaveValue("49");
  await expect(frame.getByTestId("head-title")).toContainText("Layer 0, head 1");
  await page.keyboard.press("End");
  await expect(readout).not.toContainText("keys:");
  await expect.poll(() => lines.count()).toBeGreaterThan(few);
});

test("shows another way to see the head beside it, each with its formula", async ({ open }) => {
  const frame = await open("sinks", `${ONE}&p.llmdebug.query=5&p.llmdebug.key=3`);
  const beside = frame.getByTestId("lens-map");
  await expect(beside).toHaveCount(0);
  await frame.getByTestId("lens-value").click();
  await expect(beside.getByRole("heading")).toHaveText("Weight × norm of the value");
  await expect(beside.getByTestId("cell-readout")).toContainText("“jumps” → “brown”:");
  await expect(beside.getByRole("heading")).toHaveAttribute("title", /Kobayashi et al\. 2020/);

  await frame.getByTestId("lens-mean").click();
  await expect(beside.getByRole("heading")).toHaveText("Mean of 2 examples, of 1 in the last rows");
  // Many texts have no common tokens.
  await expect(beside.getByTestId("cell-readout")).toContainText("“5” → “3”:");

  await frame.getByTestId("lens-rollout").click();
  await expect(beside.getByRole("heading")).toHaveText("Rollout up to layer 0");
  await expect(beside.getByTestId("cell-readout")).toContainText("“jumps” → “brown”:");
  await frame.getByTestId("lens-rollout").click();
  await expect(beside).toHaveCount(0);
});

test("on a small screen the map that was asked for comes in sight", async ({ open, page }) => {
  await page.setViewportSize({ width: 1024, height: 768 });
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights,upper-layers");
  await expect(frame.getByTestId("focus-map").first()).toBeVisible();
  await frame.getByTestId("lens-rollout").click();
  const map = frame.getByTestId("lens-map").first();
  await expect(map.getByTestId("focus-map")).toBeVisible();
  await expect(map.locator("canvas").first()).toBeInViewport({ ratio: 0.3 });
});

test("on a small screen a link to it opens at its top", async ({ open, page }) => {
  await page.setViewportSize({ width: 1024, height: 600 });
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights,padding-mistake&p.llmdebug.example=1&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.lens=lens%3Drollout");
  const map = frame.getByTestId("lens-map").first();
  await expect(map.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
  await expect(map.locator("canvas").first()).not.toBeInViewport();
  expect(await frame.getByTestId("view").evaluate((view) => view.scrollTop)).toBe(0);
  // Chosen by hand it comes in sight, another one too.
  await frame.getByTestId("lens-mean").click();
  await expect(map.locator("canvas").first()).toBeInViewport({ ratio: 0.3 });
});

test("says why a lens cannot be", async ({ open }) => {
  const frame = await open("sinks", "&p.llmdebug.runs=translator&p.llmdebug.name=cross&p.llmdebug.lens=lens%3Drollout");
  const reason = frame.getByTestId("no-lens");
  await expect(reason).toContainText("holds no square map with every row");
  await frame.getByTestId("lens-mean").click();
  await expect(reason).toContainText("The record holds one example");
  await frame.getByTestId("lens-value").click();
  await expect(reason).toContainText("No values were logged");
});

test("sets the top of the colour scale where the bar is clicked, by key too, and resets it", async ({ open, page }) => {
  const frame = await open("sinks", ONE);
  const bar = frame.getByTestId("expose");
  await expect(bar).toHaveAttribute("aria-valuenow", "100");
  const box = await bar.boundingBox();
  if (box === null) throw new Error("the bar has no box");
  await page.mouse.click(box.x + box.width / 2, box.y + 5);
  // Half of a square root's bar is a quarter of the weight.
  await expect(bar).toHaveAttribute("aria-valuenow", /^2[3-7]/);
  await expect(frame.getByTestId("colour-bar")).toContainText("% of largest");
  await expect.poll(() => page.url()).toContain("exposure=");
  await bar.focus();
  await page.keyboard.press("End");
  await expect(bar).toHaveAttribute("aria-valuenow", "100");
  await page.keyboard.press("PageDown");
  await expect(bar).toHaveAttribute("aria-valuenow", "25");
  await bar.dblclick();
  await expect(bar).toHaveAttribute("aria-valuenow", "100");
  await expect.poll(() => page.url()).not.toContain("exposure=");
});

test("shows blocks of weights whole, and says so", async ({ open, page }) => {
  const frame = await open("pooled");
  await expect(frame.getByTestId("caption")).toContainText("first token set aside");
  await frame.getByTestId("head-title").click();
  await page.keyboard.press("[");
  await expect(frame.getByTestId("caption")).toContainText("sinks not set aside: only blocks of weights were kept");
  await expect(frame.getByRole("slider", { name: "Edges" })).toBeDisabled();
});
