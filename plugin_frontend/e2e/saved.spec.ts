// A saved page shows the same as TensorBoard did: from the disk, with no server and no network.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Locator, Page, TestInfo } from "@playwright/test";
import { expectAccessible } from "./axe";
import { expectLaidOut } from "./layout";
import { damage, exact, openSaved, python, save } from "./saving";
import { expect, test, type View } from "./tensorboard";

test.use({ framed: false });

const LOCKED = "&p.llmdebug.runs=all-weights&p.llmdebug.step=50&p.llmdebug.layer=2&p.llmdebug.head=1";
const NOT_IN_FILE = "This file holds only what was on screen when it was saved.";

/** Every table that the menu offers, by the name of its file. */
async function tables(page: Page, frame: View, info: TestInfo): Promise<Record<string, string>> {
  await frame.getByTestId("export").click();
  const items = await frame.getByTestId("export-menu").locator("[data-testid$=-csv]").evaluateAll((all) => all.map((one) => one.getAttribute("data-testid") ?? ""));
  await frame.locator("body").press("Escape");
  const found: Record<string, string> = {};
  for (const [i, item] of items.entries()) {
    const path = await save(page, frame, item, info, items.slice(0, i).filter((one) => one === item).length);
    found[`${i} ${basename(path)}`] = readFileSync(path, "utf8");
  }
  return found;
}

/** [what, kind of log, selection, what is waited for, whose text is compared] */
const VIEWS = [
  ["the scatter of heads", "ordinary", "&p.llmdebug.view=heads&p.llmdebug.step=50&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.example=1", "scatter-readout", "heads"],
  ["the finder of heads", "ordinary", "&p.llmdebug.view=heads&p.llmdebug.runs=all-weights,dropped&p.llmdebug.heads=tool%3Dfind%3Bmean%3D1", "finder-row", "heads"],
  ["heads that changed most", "ordinary", `&p.llmdebug.view=heads&p.llmdebug.heads=tool%3Dchanges${LOCKED}&p.llmdebug.a=10:all-weights&p.llmdebug.b=90:upper-layers`, "change-row", "heads"],
  ["matched heads", "ordinary", `&p.llmdebug.view=heads&p.llmdebug.heads=tool%3Dmatches${LOCKED}`, "match-row", "heads"],
  ["heads that are alike", "ordinary", `&p.llmdebug.view=heads&p.llmdebug.heads=tool%3Dalike${LOCKED}`, "alike-row", "heads"],
  ["attributions", "ordinary", "&p.llmdebug.view=attributions&p.llmdebug.step=50&p.llmdebug.example=1", "strip", "view"],
  ["anomalies", "ordinary", "&p.llmdebug.view=anomalies", "anomaly", "view"],
  ["one head over time", "ordinary", "&p.llmdebug.multiples=on&p.llmdebug.runs=all-weights,dropped&p.llmdebug.step=50&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.example=1", "multiples-cursor", "view"],
  ["one row step by step", "taught", "&p.llmdebug.teaching=softmax&p.llmdebug.runs=gpt2&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.query=6", "teach-row", "teaching"],
  ["a mean over examples", "ordinary", `${LOCKED}&p.llmdebug.lens=lens%3Dmean`, "lens-map", "view"],
] as const;

for (const [what, kind, hash, ready, compared] of VIEWS) {
  test(`a saved page holds ${what}: the same words, the same numbers`, async ({ open, page }, info) => {
    const frame = await open(kind, hash);
    await expect(frame.getByTestId(ready).first()).toBeVisible();
    const shown = async (where: View | Page): Promise<string> => {
      // Below the fold, and asked for only in sight.
      const alike = where.getByTestId("similar");
      if ((await alike.count()) > 0) await alike.scrollIntoViewIfNeeded();
      return (await where.getByTestId(compared).innerText()).replace(/\s+/g, " ");
    };
    let [words, numbers]: [string, Record<string, string>] = ["", {}];
    // Until all of it has come.
    await expect(async () => {
      [words, numbers] = [await shown(frame), await tables(page, frame, info)];
      expect(words).not.toMatch(/…|Loading/);
      expect([await shown(frame), await tables(page, frame, info)]).toEqual([words, numbers]);
    }).toPass({ timeout: 30_000 });
    expect(Object.keys(numbers).length).toBeGreaterThan(0);
    const seen = await openSaved(page, await save(page, frame, "export-page-html", info));
    await expect(page.getByTestId(ready).first()).toBeVisible();
    await expect(async () => {
      expect(await shown(page)).toBe(words);
      expect(await tables(page, page, info)).toEqual(numbers);
    }).toPass({ timeout: 20_000 });
    await expect(page.getByTestId("failure")).toHaveCount(0);
    await expect(page.getByTestId("missing")).toHaveCount(0);
    expect(seen).toEqual({ problems: [], requests: [] });
  });
}
test("a saved page shows the same without a server: every head, every weight", async ({ open, serve, page }, info) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights,upper-layers&p.llmdebug.step=50&p.llmdebug.layer=0&p.llmdebug.head=3");
  await exact(frame);
  const path = await save(page, frame, "export-page-html", info);
  const seen = await openSaved(page, path);
  await expect(page.getByTestId("saved")).toContainText("all-weights step 50");
  await expect(page.getByTestId("panel")).toHaveCount(2);
  await expect(page.getByTestId("head-title")).toContainText("Layer 0, head 3");
  // Another head than the one that was in focus.
  await page.getByTestId("grid-cursor").first().focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowLeft", "ArrowLeft"]) await page.keyboard.press(key);
  await expect(page.getByTestId("head-title")).toContainText("Layer 2, head 1");
  await expect(page.getByTestId("focus-map").first()).toHaveAttribute("data-stale", "false");
  // The cell in the middle of the last row, by what the page says of it.
  const canvas = page.getByTestId("focus-map").first().locator(".focus-canvas");
  const readout = page.getByTestId("cell-readout").first();
  const box = await canvas.boundingBox();
  if (box === null) throw new Error("the map has no box");
  await expect(async () => {
    await page.mouse.move(box.x + box.width * 0.5 + Math.random(), box.y + box.height - 8);
    await expect(readout).toContainText("→", { timeout: 500 });
  }).toPass();
  const said = /“(.*)” → “(.*)”: (\S+)/.exec((await readout.textContent()) ?? "");
  const words = ["The", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "."];
  const cell = [words.indexOf(said?.[1] ?? ""), words.indexOf(said?.[2] ?? "")];
  const { logdir } = await serve("ordinary");
  const logged = Number(python(logdir, `print(a[${cell[0]}, ${cell[1]}])`));
  expect(Math.abs(Number(said?.[3]) - logged)).toBeLessThan(0.006 * Math.max(logged, 0.1));
  expect(seen).toEqual({ problems: [], requests: [] });
});

test("a saved difference keeps its distances; what is not in the file is said", async ({ open, page }, info) => {
  const frame = await open("ordinary", `${LOCKED}&p.llmdebug.difference=1`);
  await exact(frame);
  const path = await save(page, frame, "export-page-html", info);
  const seen = await openSaved(page, path);
  await expect(page.getByTestId("panel")).toHaveCount(3);
  await expect(page.getByTestId("grid-cursor").last()).toHaveAttribute("aria-label", /distance to A/);
  await expect(page.getByTestId("tab-heads")).toHaveCount(0);
  expect(seen).toEqual({ problems: [], requests: [] });
});


test("what is not in a saved page is said where it is looked for; all else works", async ({ open, page }, info) => {
  const frame = await open("ordinary", `${LOCKED}&p.llmdebug.view=heads&p.llmdebug.heads=tool%3Dchanges&p.llmdebug.example=1`);
  await expect(frame.getByTestId("change-row").first()).toBeVisible();
  await expect(frame.getByTestId("examples")).toContainText("jumps");
  const seen = await openSaved(page, await save(page, frame, "export-page-html", info));
  await expect(page.getByTestId("change-row").first()).toBeVisible();
  await expect(page.getByRole("tab", { name: "Heads" })).toHaveCount(1);
  await expect(page.getByTestId("tab-attention")).toHaveCount(0);
  await expect(page.getByTestId("examples").getByRole("button")).toHaveText(["1jumpsoverthelazydog."]);
  // What one click shows: the means, the matches, another statistic.
  await page.getByTestId("tool-matches").click();
  await expect(page.getByTestId("match-row").first()).toBeVisible();
  const before = await page.getByTestId("trend-value").first().innerText();
  await page.getByTestId("heads-mean").click();
  await expect(page.getByTestId("trend-value").first()).not.toHaveText(before);
  await page.getByTestId("heads-statistic").selectOption("first_token");
  await expect(page.getByTestId("spark-grid")).toHaveAttribute("aria-label", /first token/);
  await expect(page.getByTestId("failure")).toHaveCount(0);
  // The curves are of every step; what compares records is of the two that were compared.
  await page.locator("body").press("[");
  await expect(page.getByTestId("failure")).toHaveCount(1);
  await expect(page.getByTestId("failure")).toContainText(NOT_IN_FILE);
  await page.locator("body").press("]");
  await expect(page.getByTestId("match-row").first()).toBeVisible();
  await page.getByTestId("tool-alike").click();
  await expect(page.getByTestId("failure")).toContainText(NOT_IN_FILE);
  await page.getByTestId("tool-find").click();
  await expect(page.getByTestId("finder-row").first()).toBeVisible();
  await expect(page.getByTestId("failure")).toHaveCount(0);
  expect(seen).toEqual({ problems: [], requests: [] });
});

test("saved over time: every step has its picture, with sinks and without; maps are of the step that was shown", async ({ open, page }, info) => {
  const frame = await open("ordinary", `${LOCKED}&p.llmdebug.multiples=on`);
  await exact(frame);
  await expect(frame.getByTestId("multiples-cursor")).toBeVisible();
  const seen = await openSaved(page, await save(page, frame, "export-page-html", info));
  await expect(page.getByTestId("multiples-cursor")).toHaveAttribute("aria-label", /step 50: entropy/);
  await page.getByTestId("sinks").click();
  await expect(page.getByTestId("multiples-cursor")).toHaveAttribute("aria-label", /step 50: entropy/);
  await expect(page.getByTestId("failure")).toHaveCount(0);
  await page.getByTestId("multiples-cursor").press("ArrowLeft");
  await expect(page.getByTestId("multiples-cursor")).toHaveAttribute("aria-label", /step 40: entropy/);
  await expect(page.getByTestId("panel")).toContainText(NOT_IN_FILE);
  await page.getByTestId("multiples-cursor").press("ArrowRight");
  await expect(page.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
  expect(seen).toEqual({ problems: [], requests: [] });
});

test("a saved list of anomalies goes along the steps, and says that evidence is not in it", async ({ open, page }, info) => {
  const frame = await open("ordinary", "&p.llmdebug.view=anomalies");
  await expect(frame.getByTestId("anomaly").first()).toBeVisible();
  const seen = await openSaved(page, await save(page, frame, "export-page-html", info));
  await page.getByTestId("evidence").first().click();
  await expect(page.getByTestId("toast")).toContainText(NOT_IN_FILE);
  await expect(page.getByTestId("view")).toHaveAttribute("data-view", "anomalies");
  expect(seen).toEqual({ problems: [], requests: [] });
});

test("a map that is damaged on the disk is said to be so in the saved page too, beside the one that is not", async ({ open, serve, page }, info) => {
  const frame = await open("damaged", "&p.llmdebug.runs=sound&p.llmdebug.step=0");
  await exact(frame);
  damage((await serve("damaged")).logdir, "hurt");
  await frame.locator("[data-testid=run][data-run=hurt]").getByRole("checkbox").check();
  const hurt = (where: View): Locator => where.locator("[data-testid=panel][data-run=hurt]");
  await expect(hurt(frame)).toContainText(/damaged/);
  const said = await hurt(frame).innerText();
  const seen = await openSaved(page, await save(page, frame, "export-page-html", info));
  await expect(page.locator("[data-testid=panel][data-run=sound]").getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
  expect(await hurt(page).innerText()).toBe(said);
  expect(seen).toEqual({ problems: [], requests: [] });
});

test("what the server refuses while a page is saved is said there, and all else is in it", async ({ open, page }, info) => {
  const frame = await open("ordinary", "&p.llmdebug.view=attributions&p.llmdebug.runs=all-weights,upper-layers&p.llmdebug.step=50");
  await expect(frame.getByTestId("strip")).toHaveCount(20);
  let first = "";
  await page.route("**/attributions?*", async (route) => {
    first ||= route.request().url();
    if (route.request().url() === first) await route.fulfill({ status: 503, contentType: "text/plain", body: "The disk is asleep." });
    else await route.continue();
  });
  const seen = await openSaved(page, await save(page, frame, "export-page-html", info));
  await expect(page.getByTestId("failure")).toContainText("The disk is asleep.");
  await page.locator("[data-testid=run][data-run=all-weights]").getByRole("checkbox").uncheck();
  await expect(page.getByTestId("strip")).toHaveCount(10);
  await expect(page.getByTestId("failure")).toHaveCount(0);
  expect(seen).toEqual({ problems: [], requests: [] });
});

test("an address that names another view than the saved one is told once that it is not there", async ({ open, page }, info) => {
  const frame = await open("ordinary", LOCKED);
  await exact(frame);
  const seen = await openSaved(page, await save(page, frame, "export-page-html", info), "#p.llmdebug.view=heads&p.llmdebug.step=50");
  await expect(page.getByTestId("toast")).toHaveText(NOT_IN_FILE);
  await expect(page.getByTestId("view")).toHaveAttribute("data-view", "attention");
  await expect(page).toHaveURL(/#p\.llmdebug\.step=50$/);
  await page.evaluate(() => (location.hash = "#p.llmdebug.layer=1&p.llmdebug.head=2"));
  await expect(page.getByTestId("head-title")).toContainText("Layer 1");
  await page.reload();
  await expect(page.getByTestId("head-title")).toContainText("Layer 1");
  await expect(page.getByTestId("toast")).toHaveText("");
  expect(seen).toEqual({ problems: [], requests: [] });
});

/** Parts of the banner that are broken over two lines, and how many lines it has. */
const banner = (page: Page): Promise<{ broken: string[]; lines: number }> =>
  page.getByTestId("saved").evaluate((element) => {
    const linesOf = (inside: Element): number => {
      const range = document.createRange();
      range.selectNodeContents(inside);
      return new Set(Array.from(range.getClientRects(), ({ bottom }) => Math.round(bottom))).size;
    };
    const parts = Array.from(element.querySelectorAll("span"));
    return {
      broken: parts.filter((part) => linesOf(part) > 1).map((part) => part.textContent),
      lines: new Set(parts.map((part) => Math.round(part.getBoundingClientRect().top))).size,
    };
  });

for (const [view, hash, ready, transport] of [
  ["Attention", "&p.llmdebug.runs=all-weights,padding-mistake,upper-layers,dropped&p.llmdebug.step=20", "focus-map", 0],
  ["Heads", "&p.llmdebug.view=heads&p.llmdebug.runs=all-weights&p.llmdebug.step=50", "scatter-readout", 1],
] as const) {
  test(`a saved ${view} page is laid out whole at both sizes, light and dark, and accessible`, async ({ open, page }, info) => {
    const frame = await open("ordinary", hash);
    await expect(frame.getByTestId(ready).first()).toBeVisible();
    if (view === "Attention") await exact(frame);
    await openSaved(page, await save(page, frame, "export-page-html", info));
    await expect(page.getByTestId(ready).first()).toBeVisible();
    await expectLaidOut(page, page, (about) => expectAccessible(page, about));
    // Now at the smaller size. Playing needs a second step.
    for (const control of ["play", "loop", "speed", "go-to"]) await expect(page.getByTestId(control)).toHaveCount(transport);
    expect(await banner(page)).toEqual({ broken: [], lines: view === "Attention" ? 2 : 1 });
  });
}

test("hostile text is text in the saved page of every view", async ({ open, page }, info) => {
  for (const [view, ready] of [["heads", "trend-value"], ["attributions", "strip"], ["anomalies", "anomaly-summary"]] as const) {
    const frame = await open("hostile", `&p.llmdebug.view=${view}`);
    await expect(frame.getByTestId(ready).first()).toBeVisible();
    const path = await save(page, frame, "export-page-html", info);
    expect(readFileSync(path, "utf8")).not.toMatch(/alert\(|onerror=alert/);
    const seen = await openSaved(page, path);
    await expect(page.getByTestId(ready).first()).toBeVisible();
    expect(await page.locator("img, b:has-text('name')").count()).toBe(0);
    expect(seen).toEqual({ problems: [], requests: [] });
    await page.context().setOffline(false);
  }
});
