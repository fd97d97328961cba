// The other views, and the page as a guest of TensorBoard.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "./tensorboard";

const PYTHON = process.env["PYTHON"] ?? "python3";

test("attributions of every step stand one above the other, and a click goes to the step", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights");
  await frame.getByTestId("tab-attributions").click();
  await expect(frame.getByTestId("strip")).toHaveCount(10);
  await expect(frame.getByTestId("method").first()).toContainText("gradient x input");
  // The middle of a strip may be its folded padding; its number always means the step.
  await frame.getByTestId("strip").nth(3).getByRole("button").click();
  await expect(frame.getByTestId("step")).toContainText("30");
});

test("examples are named whichever view a link opens", async ({ open }) => {
  for (const view of ["attributions", "anomalies"]) {
    const frame = await open("ordinary", `&p.llmdebug.view=${view}`);
    await expect(frame.getByTestId("examples")).toContainText("quick");
    await expect(frame.getByTestId("examples").getByRole("button").nth(1)).toContainText("jumps");
  }
});

test("a score is read out where one points", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.view=attributions&p.llmdebug.runs=all-weights");
  await frame.getByTestId("strip").first().getByText("quick").hover();
  await expect(frame.getByTestId("score-readout")).toContainText(/quick.*: .?\d/);
});

test("an anomaly says what it saw and leads to its evidence", async ({ open }) => {
  const frame = await open("ordinary");
  await frame.getByTestId("tab-anomalies").click();
  const anomaly = frame.getByTestId("anomaly");
  await expect(anomaly).toHaveCount(1);
  await expect(anomaly).toContainText("padding-mistake");
  await expect(anomaly).toContainText(/observed 0\.\d+ · threshold 1.00e−6/);
  await expect(frame.getByTestId("rule")).toContainText(/Pass the attention mask to the model/);
  await anomaly.getByTestId("evidence").first().click();
  await expect(frame.getByTestId("tab-attention")).toHaveAttribute("aria-selected", "true");
  await expect(frame.locator("[data-testid=panel][data-run=padding-mistake]")).toBeVisible();
  await expect(frame.getByTestId("step")).toContainText(/step 0\b/);
  await expect(frame.locator(".token[data-kind=padding]").first()).toBeVisible();
});

test("an anomaly is marked at its steps, and a click there shows them", async ({ open }) => {
  const frame = await open("ordinary", "&p.llmdebug.view=anomalies");
  const lane = frame.getByTestId("lane");
  await expect(lane).toHaveAttribute("aria-label", /^steps 0 to \d+, \d+ records: .*, padding-mistake$/);
  const { width, height } = (await lane.boundingBox()) ?? { width: 0, height: 0 };
  await lane.click({ position: { x: width - 1, y: height / 2 } });
  await expect(frame.getByTestId("tab-attention")).toHaveAttribute("aria-selected", "true");
  await expect(frame.locator("[data-testid=panel][data-run=padding-mistake]")).toBeVisible();
  await expect(frame.getByTestId("step")).not.toContainText(/step 0\b/);
});

test("the steps of an anomaly are chosen and shown by keys alone", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.view=anomalies");
  await frame.getByTestId("evidence").focus();
  // The last button of the anomaly, then its lane.
  const lane = frame.getByTestId("lane");
  for (let tab = 0; tab < 3 && !(await lane.evaluate((element) => element === document.activeElement)); tab += 1) await page.keyboard.press("Tab");
  await expect(lane).toBeFocused();
  await page.keyboard.press("Home");
  await expect(lane).toHaveAttribute("aria-valuenow", "0");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(lane).toHaveAttribute("aria-valuetext", "step 20; Enter shows it");
  // Nothing else was moved by the arrows.
  await expect(frame.getByTestId("step")).toContainText("step 90");
  await page.keyboard.press("Enter");
  await expect(frame.getByTestId("tab-attention")).toHaveAttribute("aria-selected", "true");
  await expect(frame.locator("[data-testid=panel][data-run=padding-mistake]")).toBeVisible();
  await expect(frame.getByTestId("step")).toContainText("step 20");
});

test("healthy runs have no anomaly", async ({ open }) => {
  const frame = await open("ordinary");
  await frame.getByTestId("tab-anomalies").click();
  await expect(frame.getByTestId("anomaly")).toHaveCount(1);
  for (const run of ["all-weights", "upper-layers"]) {
    await expect(frame.getByTestId("anomaly").filter({ hasText: run })).toHaveCount(0);
  }
});

test("an empty directory shows the three lines that would fill it", async ({ page, serve }, info) => {
  const { url } = await serve("empty");
  await page.goto(`${url}data/plugin_entry.html?name=llmdebug`);
  await expect(page.getByTestId("empty")).toContainText("These three lines fill it", { timeout: 30_000 });
  const code = await page.getByTestId("empty").locator("code").innerText();
  expect(code.split("\n").filter((line) => line.trim() !== "")).toHaveLength(3);
  // Pasted as they are, they write logs.
  const folder = info.outputPath("pasted");
  mkdirSync(folder, { recursive: true });
  const setting = "import numpy, types; out = types.SimpleNamespace(attentions=[numpy.full((1, 2, 3, 3), 1 / 3)]); tokens = [['a', 'b', 'c']]; step = 0\n";
  execFileSync(PYTHON, ["-c", setting + code], { cwd: folder });
  expect(readdirSync(join(folder, "logs", "finetune"))).not.toEqual([]);
});

test("a run that grows is followed without losing the selection", async ({ open, serve }) => {
  const frame = await open("growing");
  const { grow } = await serve("growing");
  await frame.getByTestId("grid-cursor").focus();
  await frame.getByTestId("grid-cursor").press("ArrowRight");
  await expect(frame.getByTestId("head-title")).toContainText("head 1");
  // Another journey may have had it grow before.
  const last = Number(await frame.getByTestId("scrubber").getAttribute("aria-valuemax"));
  await grow();
  await expect(frame.getByTestId("scrubber")).toHaveAttribute("aria-valuemax", String(last + 10), {
    timeout: 30_000,
  });
  await expect(frame.getByTestId("head-title")).toContainText("head 1");
});

test("a restarted run shows its newer session, and the older one can be chosen", async ({ open }) => {
  const frame = await open("restarted", "&p.llmdebug.runs=run");
  await expect(frame.getByTestId("panel-step")).toContainText("80");
  const session = frame.locator("[data-testid=run][data-run=run]").getByTestId("session");
  await expect(session.getByRole("option")).toHaveCount(2);
  await session.selectOption({ index: 1 });
  await expect(frame.getByTestId("panel-step")).toContainText("40");
});

test("damage is reported, and the other steps are shown", async ({ open }) => {
  const frame = await open("restarted", "&p.llmdebug.runs=damaged");
  await expect(frame.getByTestId("problems")).toContainText(/damaged/);
  await expect(frame.getByTestId("panel")).toBeVisible();
});

test("a warning is put away by its button or by Escape, and comes back when it says something else", async ({ open, page }) => {
  const frame = await open("restarted", "&p.llmdebug.runs=damaged,gone&p.llmdebug.layer=0&p.llmdebug.head=0");
  const missing = frame.getByTestId("missing");
  await expect(missing).toHaveText(/“gone”/);
  await missing.locator("xpath=..").getByRole("button", { name: "Dismiss this notice" }).click();
  await expect(missing).toHaveCount(0);
  await frame.getByTestId("problems").locator("summary").focus();
  await page.keyboard.press("Escape");
  await expect(frame.getByTestId("problems")).toHaveCount(0);
  // Escape released nothing else.
  expect(page.url()).toContain("p.llmdebug.layer=0");
  await page.evaluate(() => (location.hash = location.hash.replace("gone", "lost")));
  await expect(missing).toHaveText(/“lost”/);
  await expect(frame.getByTestId("problems")).toHaveCount(0);
});

test("logged text is shown as text", async ({ open, page }) => {
  const frame = await open("hostile");
  await expect(frame.getByTestId("running-text")).toContainText("<script>alert(2)</script>");
  for (const tab of ["attributions", "anomalies"]) {
    await frame.getByTestId(`tab-${tab}`).click();
    await page.waitForTimeout(500);
  }
  expect(await frame.locator("img, script[src*=alert], b:has-text('name')").count()).toBe(0);
  const overflow = await frame.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});

test("a hostile link is only a link with nothing in it", async ({ open }) => {
  const frame = await open(
    "ordinary",
    "&p.llmdebug.step=99999999999999999999&p.llmdebug.runs=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E,__proto__" +
      "&p.llmdebug.layer=-1&p.llmdebug.head=1e9&p.llmdebug.a=1:%25E0%25A4%25A&p.llmdebug.view=constructor",
  );
  await expect(frame.getByTestId("panel").first()).toBeVisible();
});

test("help lists the keys, and the language can be changed", async ({ open }) => {
  const frame = await open("ordinary");
  await frame.locator("body").press("?");
  await expect(frame.getByTestId("help")).toBeVisible();
  await frame.locator("body").press("Escape");
  await expect(frame.getByTestId("help")).toBeHidden();
  await frame.getByTestId("language").click();
  await expect(frame.locator("html")).toHaveAttribute("lang", /zh/);
});

test("the page stays whole when the server goes away", async ({ open, page }) => {
  const frame = await open("ordinary");
  await expect(frame.getByTestId("focus-map").first()).toBeVisible();
  await page.route("**/plugin/llmdebug/**", (route) => route.abort());
  await frame.locator("body").press("[");
  await frame.locator("body").press("[");
  await frame.locator("body").press("[");
  await expect(frame.locator("[role=alert], [data-testid=failure], [data-testid=index-error]").first()).toBeVisible({
    timeout: 30_000,
  });
});
