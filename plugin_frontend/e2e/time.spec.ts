// One head over time, the player and the comparison over steps, as a person uses them.
import type { Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

test.use({ framed: false });

const ON = "&p.llmdebug.multiples=on&p.llmdebug.layer=1&p.llmdebug.head=2";

async function hash(page: Page): Promise<string> {
  await page.waitForTimeout(300); // longer than the page waits before it writes the hash
  return decodeURIComponent(new URL(page.url()).hash);
}

async function middleOf(frame: View, testId: string): Promise<{ x: number; y: number; width: number; height: number }> {
  const box = await frame.getByTestId(testId).boundingBox();
  if (box === null) throw new Error(`${testId} has no box`);
  return box;
}

test("one head over 500 steps: every step is reached, few elements, previews and clicks", async ({ open, page }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/multiples?")) asked.push(new URL(request.url()).search);
  });
  const frame = await open("steps", `${ON}&p.llmdebug.runs=long&p.llmdebug.step=250`);
  const strip = frame.getByTestId("multiples");
  const cursor = frame.getByTestId("multiples-cursor");
  await expect(cursor).toHaveAttribute("aria-label", /long, step 250: entropy [\d.]+ bit/);
  await expect(cursor).toHaveAttribute("aria-colindex", "251");
  // The step on screen stands in the middle, and only what is near it was asked for.
  const [first, end] = await strip.evaluate((box): [number, number] => [Number(box.dataset["first"]), Number(box.dataset["end"])]);
  expect(Math.abs((first + end) / 2 - 250)).toBeLessThan(3);
  const records = asked.map((search) => Number(new URLSearchParams(search).get("to")) - Number(new URLSearchParams(search).get("from")));
  expect(records.reduce((sum, count) => sum + count, 0)).toBeLessThan(150);
  expect(await frame.locator("body").evaluate((body) => body.querySelectorAll("*").length)).toBeLessThan(700);
  // Pointing previews, leaving brings back, a click goes there and does not move the pictures away.
  const box = await middleOf(frame, "multiples");
  await page.mouse.move(box.x + 30, box.y + 70);
  await expect(frame.getByTestId("multiples-readout")).toContainText(/step 24\d: entropy/);
  await expect(frame.getByTestId("panel-step")).not.toHaveText("step 250");
  const pointed = (/step (\d+)/.exec((await frame.getByTestId("multiples-readout").textContent()) ?? "") ?? [])[1] ?? "";
  await page.mouse.click(box.x + 30, box.y + 70);
  await page.mouse.move(5, 700);
  await expect(frame.getByTestId("panel-step")).toHaveText(`step ${pointed}`);
  expect(await hash(page)).toContain(`p.llmdebug.step=${pointed}`);
  expect(await strip.evaluate((one) => Number(one.dataset["first"]))).toBe(first);
  // By keyboard, to both ends, and by number.
  await cursor.focus();
  await cursor.press("ArrowRight");
  await expect(cursor).toHaveAttribute("aria-label", new RegExp(`step ${Number(pointed) + 1}:`));
  await cursor.press("Home");
  await expect(cursor).toHaveAttribute("aria-label", /step 0: entropy/);
  await cursor.press("End");
  await expect(cursor).toHaveAttribute("aria-label", /step 499: entropy/);
  await frame.getByTestId("go-to").fill("123");
  await frame.getByTestId("go-to").press("Enter");
  await expect(frame.getByTestId("panel-step")).toHaveText("step 123");
  await expect(cursor).toHaveAttribute("aria-label", /step 123: entropy/);
});

test("a dropped map is a gap that says so; each run has its row; B - A is taken from A", async ({ open, page }) => {
  const frame = await open("ordinary", `${ON}&p.llmdebug.runs=all-weights,dropped&p.llmdebug.run=dropped&p.llmdebug.step=10`);
  const cursor = frame.getByTestId("multiples-cursor");
  await expect(cursor).toHaveAttribute("aria-label", /dropped, step 10: map dropped/);
  await expect(frame.getByTestId("multiples-caption")).toContainText("map dropped");
  await cursor.focus();
  await cursor.press("ArrowUp");
  await expect(cursor).toHaveAttribute("aria-label", /all-weights, step 10: entropy/);
  await page.keyboard.press("d");
  await expect(frame.getByTestId("multiples-caption")).toContainText("− A (all-weights, step 0), one scale · hatched: below what the stored precision can tell apart");
  await expect(cursor).toHaveAttribute("aria-label", /all-weights, step 10: largest change 0\.\d+/);
  await page.keyboard.press("{");
  await expect(cursor).toHaveAttribute("aria-label", /all-weights, step 0: largest change 0, not distinguishable,/);
  await page.keyboard.press("d");
  await page.keyboard.press("t");
  await expect(frame.getByTestId("multiples-table").getByRole("row")).toHaveCount(11);
  await expect(frame.getByTestId("multiples-table")).toContainText("bit");
  await page.keyboard.press("t");
  await page.keyboard.press("o");
  await expect(frame.getByTestId("multiples")).toHaveCount(0);
  expect(await hash(page)).not.toContain("multiples");
});

test("the small maps leave out padding that no run looks at", async ({ open }) => {
  const shape = async (runs: string): Promise<number> => {
    const frame = await open("ordinary", `${ON}&p.llmdebug.runs=${runs}&p.llmdebug.example=1`);
    const cursor = frame.getByTestId("multiples-cursor");
    await expect(cursor).toHaveAttribute("aria-label", /entropy/);
    await expect(frame.getByTestId("multiples-caption")).toContainText(runs === "all-weights" ? "padding left out: no weight is on it" : "rows of padding left out");
    return cursor.evaluate((cell) => cell.getBoundingClientRect().width / cell.getBoundingClientRect().height);
  };
  // Four of ten tokens are padding, and the first of the others is set aside.
  expect(await shape("all-weights")).toBeCloseTo(5 / 6);
  expect(await shape("all-weights,padding-mistake")).toBeCloseTo(9 / 6);
});

test("the small maps set sinks aside as everything else does, and S shows them", async ({ open, page }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/multiples?")) asked.push(new URLSearchParams(new URL(request.url()).search).get("sinks") ?? "shown");
  });
  const frame = await open("ordinary", `${ON}&p.llmdebug.runs=all-weights&p.llmdebug.step=10`);
  const cursor = frame.getByTestId("multiples-cursor");
  const caption = frame.getByTestId("multiples-caption");
  await expect(cursor).toHaveAttribute("aria-label", /step 10: entropy .*\d % set aside/);
  await expect(caption).toContainText("sinks set aside");
  expect([...new Set(asked)]).toEqual(["aside"]);
  const aside = (await frame.getByTestId("multiples").screenshot()).toString("base64");
  await page.keyboard.press("d");
  await expect(cursor).toHaveAttribute("aria-label", /step 10: largest change 0\.\d+.* set aside/);
  await page.keyboard.press("d");
  await page.keyboard.press("s");
  await expect(caption).not.toContainText("sinks");
  await expect(cursor).toHaveAttribute("aria-label", /step 10: entropy (?!.*set aside)/);
  expect(new Set(asked)).toEqual(new Set(["aside", "shown"]));
  expect((await frame.getByTestId("multiples").screenshot()).toString("base64")).not.toBe(aside);
});

test("a difference has one scale in the panels and in the small maps, which only grows until it is left", async ({ open, page, context }) => {
  const frame = await open("ordinary", `${ON}&p.llmdebug.runs=all-weights&p.llmdebug.step=10`);
  const ends = frame.locator("[data-testid=multiples-caption] .colour-bar i");
  const panels = frame.locator("[data-testid=colour-bar] .colour-bar i").filter({ hasText: "+" });
  const end = async (): Promise<number> => Number(((await panels.textContent()) ?? "").replace("+", ""));
  await frame.locator("body").press("d");
  // Heads change more over the whole run than in these ten steps: the panels' scale is that of all maps in sight.
  await expect(frame.getByTestId("multiples-cursor")).toHaveAttribute("aria-label", /step 10: largest change 0\.\d+/);
  const cell = (await frame.getByTestId("multiples-cursor").getAttribute("aria-label")) ?? "";
  await page.keyboard.press("}");
  await expect(frame.getByTestId("multiples-cursor")).toHaveAttribute("aria-label", /step 90: largest change 0\.\d+/);
  const later = (await frame.getByTestId("multiples-cursor").getAttribute("aria-label")) ?? "";
  const changeIn = (label: string): number => Number(/largest change ([\d.]+)/.exec(label)?.[1]);
  expect(changeIn(later)).toBeGreaterThan(changeIn(cell));
  // Either may be the first to follow.
  await expect.poll(async () => (await ends.last().textContent()) === (await panels.textContent())).toBe(true);
  const grown = await end();
  expect(grown).toBeGreaterThanOrEqual(changeIn(later));
  await page.keyboard.press("[");
  await expect(frame.getByTestId("multiples-cursor")).toHaveAttribute("aria-label", /step 80: largest change/);
  expect(await end()).toBe(grown);
  await expect(ends.last()).toHaveText(`+${((await panels.textContent()) ?? "").slice(1)}`);
  // Without the small maps too, and in a link.
  await frame.getByTestId("over-time").click();
  await expect(frame.getByTestId("multiples-cursor")).toHaveCount(0);
  await page.keyboard.press("{");
  await page.keyboard.press("]");
  await expect.poll(() => hash(page)).toContain("p.llmdebug.step=10");
  await expect.poll(() => hash(page)).toContain(`p.llmdebug.end=${grown}`);
  await expect.poll(() => hash(page)).not.toContain("multiples=on");
  const again = await context.newPage();
  const copied = again.locator("[data-testid=colour-bar] .colour-bar i").filter({ hasText: "+" });
  for (const kept of [true, false]) {
    await again.goto("about:blank");
    await again.goto(kept ? page.url() : page.url().replace(/&p\.llmdebug\.end=[^&]*/, ""));
    await expect(again.locator("[data-testid=panel][data-side=difference] [data-testid=focus-map]")).toHaveAttribute("data-stale", "false", { timeout: 30_000 });
    if (kept) await expect(copied).toHaveText((await panels.textContent()) ?? "none");
    else await expect(copied).not.toHaveText((await panels.textContent()) ?? "none");
  }
  await again.close();
  await frame.locator("body").press("d");
  await expect.poll(() => hash(page)).not.toContain("p.llmdebug.end");
});

test("playing leaves no step out", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.step=0&p.llmdebug.runs=all-weights");
  await frame.getByTestId("speed").selectOption("10");
  expect(await hash(page)).toContain("p.llmdebug.playing=10");
  await frame.locator("body").evaluate((body) => {
    const seen: string[] = [];
    Object.assign(window, { seen });
    const look = (): void => {
      const text = body.querySelector("[data-testid=panel-step]")?.textContent ?? "";
      const stale = body.querySelector("[data-testid=panel][data-stale=true]") !== null;
      if (!stale && seen.at(-1) !== text) seen.push(text);
      requestAnimationFrame(look);
    };
    look();
  });
  await frame.getByTestId("play").click();
  await expect(frame.getByTestId("panel-step")).toHaveText("step 90", { timeout: 30_000 });
  const seen = await frame.locator("body").evaluate(() => (window as unknown as { seen: string[] }).seen);
  expect(seen.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => `step ${10 * i}`));
});

test("a run is held against its first step with one click, and a matched pair stands side by side", async ({ open, page }) => {
  const frame = await open("matched", "&p.llmdebug.a=40%3Abase&p.llmdebug.b=40%3Ashuffled&p.llmdebug.view=heads&p.llmdebug.heads=tool%3Dmatches");
  await frame.getByTestId("match-row").nth(0).getByRole("button").click();
  await frame.getByTestId("match-show").click();
  await expect(frame.getByTestId("pair-title")).toHaveText(["A: layer 0 head 0", "B: layer 0 head 1", "B head 1 − A head 0, layer 0"]);
  expect(await hash(page)).toContain("other=1");
  // Each side rings its own head of the pair.
  for (const [side, head] of [["A", 0], ["B", 1]] as const) {
    await expect(frame.locator(`[data-side=${side}] [data-testid=grid-cursor]`)).toHaveAttribute("aria-label", new RegExp(`^layer 0 head ${head}\\b`));
  }
  // The same head under two numbers: nearly the same entropy, unlike head 0 of both.
  const cells = frame.locator("[data-testid=statistics] td[data-statistic=entropy]");
  await expect(cells).toHaveCount(2);
  const [a, b] = (await cells.allTextContents()).map((text) => Number.parseFloat(text));
  expect(Math.abs((a ?? 0) - (b ?? 9))).toBeLessThan(0.1);
  await frame.getByTestId("against-first").click();
  await expect(frame.getByTestId("pin-a")).toContainText("base · 0");
  await expect(frame.locator("[data-side=A] [data-testid=panel-step]")).toHaveText("step 0");
});

test("playing goes round and round, or stops at the last step, as the loop button says", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights&p.llmdebug.step=70&p.llmdebug.playing=10");
  const [play, loop, step] = [frame.getByTestId("play"), frame.getByTestId("loop"), frame.getByTestId("panel-step")];
  await expect(step).toHaveText("step 70");
  await expect(loop).toHaveAttribute("aria-pressed", "true");
  await loop.click();
  await expect(loop).toHaveAttribute("aria-pressed", "false");
  await play.click();
  await expect(play).toHaveAttribute("aria-label", "Play");
  await expect(step).toHaveText("step 90");
  expect(await hash(page)).toContain("p.llmdebug.playing=10;once");
  await loop.click();
  await play.click();
  // Past the last step it begins anew.
  await expect.poll(async () => Number((await step.textContent())?.replace("step ", ""))).toBeLessThan(70);
  await expect(play).toHaveAttribute("aria-label", "Pause");
  await play.click();
});
