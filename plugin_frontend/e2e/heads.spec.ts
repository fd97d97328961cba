// The Heads view as a person uses it.
import { execFileSync } from "node:child_process";
import type { Locator, Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

test.use({ framed: false });

const HEADS = "&p.llmdebug.view=heads";
const asked = (text: string): string => `&p.llmdebug.heads=${encodeURIComponent(text)}`;

async function hash(page: Page): Promise<string> {
  await page.waitForTimeout(300); // longer than the page waits before it writes the hash
  return decodeURIComponent(new URL(page.url()).hash);
}

const valueOf = (frame: View, run: string) => frame.locator(`[data-testid=trend] [data-run="${run}"] [data-testid=trend-value]`);

test("every head has a curve: hover previews, click locks, arrows move, a reload brings it back", async ({ open, page }) => {
  const frame = await open("ordinary", HEADS);
  const grid = frame.getByTestId("spark-grid");
  const title = frame.getByTestId("head-title");
  await expect(frame.getByTestId("spark-scale")).toContainText("steps 0 to 90");
  await expect(title).toContainText("Layer 0, head 0");
  const box = await grid.locator(".spark-canvas").boundingBox();
  if (box === null) throw new Error("the matrix has no box");
  await page.mouse.move(box.x + box.width * 0.9, box.y + 60);
  await expect(title).toContainText("preview");
  await page.mouse.click(box.x + box.width * 0.9, box.y + 60);
  await page.mouse.move(5, 400);
  await expect(title).toContainText("Layer 0, head 3");
  await expect(title).toContainText("locked");
  const cursor = frame.getByTestId("spark-cursor");
  await cursor.focus();
  await cursor.press("ArrowDown");
  await cursor.press("ArrowLeft");
  await expect(title).toContainText("Layer 1, head 2");
  await expect(cursor).toHaveAttribute("aria-label", /layer 1 head 2, entropy, step 90: .*all-weights: [\d.]+ bit/i);
  await frame.getByTestId("heads-statistic").selectOption("distance");
  await frame.getByTestId("heads-mean").check();
  await frame.getByTestId("tool-find").click();
  await expect.poll(() => hash(page)).toContain("p.llmdebug.heads=statistic=distance;tool=find;mean=true");
  await page.reload();
  await expect(title).toContainText("Layer 1, head 2", { timeout: 30_000 });
  await expect(frame.getByTestId("heads-statistic")).toHaveValue("distance");
  await expect(frame.getByTestId("heads-mean")).toBeChecked();
  await expect(frame.getByTestId("finder")).toBeVisible();
});

test("the numbers are those of the Attention view, at each step, and in the table and the finder too", async ({ open, page }) => {
  const at = "&p.llmdebug.layer=2&p.llmdebug.head=1&p.llmdebug.runs=all-weights";
  const frame = await open("ordinary", `&p.llmdebug.step=40${at}`);
  const cell = frame.locator("[data-testid=statistics] td[data-statistic=entropy]");
  const seen: (string | null)[] = [];
  for (const key of ["", "["]) {
    if (key !== "") await page.keyboard.press(key);
    await expect(frame.getByTestId("step")).toContainText(key === "" ? "40" : "30");
    await expect(frame.getByTestId("panel-step")).toContainText(key === "" ? "40" : "30");
    await expect(cell).toHaveText(/bit/);
    seen.unshift(await cell.textContent());
  }
  expect(seen[0]).not.toBe(seen[1]);
  await frame.getByTestId("tab-heads").click();
  await expect(valueOf(frame, "all-weights")).toHaveText(seen[0] ?? "");
  await page.keyboard.press("]");
  await expect(valueOf(frame, "all-weights")).toHaveText(seen[1] ?? "");
  const number = (seen[1] ?? "").replace(" bit", "");
  await page.keyboard.press("t");
  await expect(frame.locator("[data-testid=heads-table] td[data-chosen=true]")).toHaveText(number);
  await frame.getByTestId("tool-find").click();
  const row = frame.locator("[data-testid=finder-row][data-chosen=true]");
  await expect(row).toContainText(/2\.1.*\d+ of 12/);
  await expect(row).toContainText(seen[1] ?? "none");
});

test("the finder lists as many heads as are asked for, and one line per layer", async ({ open, page }) => {
  const frame = await open("ordinary", `${HEADS}&p.llmdebug.runs=all-weights${asked("tool=find")}`);
  const rows = frame.getByTestId("finder-row");
  const ranks = (): Promise<number[]> => rows.locator("td:nth-of-type(1)").evaluateAll((cells) => cells.map((cell) => Number(/^\d+/.exec(cell.textContent)?.[0])));
  await expect(rows).toHaveCount(10);
  expect(await ranks()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await frame.getByTestId("find-top").selectOption("25");
  await expect(rows).toHaveCount(12);
  expect(await ranks()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  const layers = (await rows.locator("th").allTextContents()).map((text) => text.trim().charAt(0));
  await frame.getByTestId("find-fold").check();
  // The first of each layer, in the order of their ranks; the others are under it.
  await expect(rows).toHaveCount(3);
  expect((await rows.locator("th").allTextContents()).map((text) => text.trim().charAt(0))).toEqual([...new Set(layers)]);
  expect(await ranks()).toEqual([...new Set(layers)].map((layer) => layers.indexOf(layer) + 1));
  const unfold = rows.nth(1).getByRole("button", { expanded: false });
  await expect(unfold).toContainText("4");
  await unfold.click();
  await expect(rows).toHaveCount(6);
  expect((await rows.locator("th").allTextContents()).slice(1, 5).map((text) => text.trim().charAt(0))).toEqual(Array.from({ length: 4 }, () => [...new Set(layers)][1]));
  expect(await hash(page)).toContain("p.llmdebug.heads=tool=find;folded=true;top=25");
});

test("heads stand as dots by two statistics, also of A against B; a dot can be chosen", async ({ open, page }) => {
  const frame = await open("ordinary", `${HEADS}&p.llmdebug.runs=all-weights${asked("x=entropy@a;y=entropy@b;colour=layer")}`);
  const plot = frame.getByTestId("scatter");
  await expect(plot).toHaveAttribute("data-dots", "12");
  await expect(plot).toHaveAttribute("aria-label", /12 heads: entropy at A across, entropy at B up/);
  const box = await plot.boundingBox();
  if (box === null) throw new Error("the plot has no box");
  const readout = frame.getByTestId("scatter-readout");
  // Dots lie where the two values are; a walk over the plot meets one.
  for (let i = 0; i < 900 && !/layer \d head \d/.test((await readout.textContent()) ?? ""); i += 1) {
    await page.mouse.move(box.x + 50 + (i % 30) * ((box.width - 60) / 30), box.y + 20 + Math.floor(i / 30) * ((box.height - 50) / 30));
  }
  const name = /layer (\d) head (\d)/.exec((await readout.textContent()) ?? "");
  expect(name).not.toBeNull();
  await page.mouse.down();
  await page.mouse.up();
  await expect(frame.getByTestId("head-title")).toContainText(`Layer ${name?.[1]}, head ${name?.[2]}`);
  await expect.poll(() => hash(page)).toContain(`p.llmdebug.layer=${name?.[1]}&p.llmdebug.head=${name?.[2]}`);
  await frame.getByTestId("scatter-x-when").selectOption("now");
  await frame.getByTestId("scatter-x").selectOption("nan");
  await expect(plot).toHaveAttribute("aria-label", /NaN across/);
});

const COMPARE = `
import sys, json, tb_llmdebug as l
logs = l.open_logdir(sys.argv[1])
a, b = (logs.attention(run, "decoder", int(step)) for run, step in (at.split("@") for at in sys.argv[2:4]))
changes = [[c.layer, c.head, c.mean, c.spread] for c in l.compare(a, b).most_changed()]
print(json.dumps([changes, [list(m) for m in l.match_heads(a, b)]]))
`;

function python(logdir: string, a: string, b: string): [[number, number, number, number][], [number, number, number, number][]] {
  const said = execFileSync(process.env["PYTHON"] ?? "python3", ["-c", COMPARE, logdir, a, b], { encoding: "utf8" });
  return JSON.parse(said) as ReturnType<typeof python>;
}

test("most changed and matched heads are those of Python, over all examples; a pair can be chosen", async ({ open, serve, page }) => {
  const pins = "&p.llmdebug.a=0%3Abase&p.llmdebug.b=50%3Abase";
  const frame = await open("matched", `${HEADS}${pins}${asked("tool=changes")}`);
  const { logdir } = await serve("matched");
  const [changes] = python(logdir, "base@0", "base@50");
  const rows = frame.getByTestId("change-row");
  await expect(rows).toHaveCount(changes.length);
  for (const i of [0, 5, 11]) {
    const [layer, head, mean, spread] = changes[i] ?? [0, 0, 0, 0];
    await expect(rows.nth(i).getByRole("button")).toHaveText(`${layer}.${head}`);
    await expect(rows.nth(i).getByRole("cell").nth(0)).toHaveText(Number(mean.toPrecision(3)).toPrecision(3));
    await expect(rows.nth(i).getByRole("cell").nth(1)).toHaveText(Number(spread.toPrecision(3)).toPrecision(3));
  }
  await page.goto("about:blank");
  const again = await open("matched", `${HEADS}&p.llmdebug.a=40%3Abase&p.llmdebug.b=40%3Ashuffled${asked("tool=matches")}`);
  const [, matches] = python(logdir, "base@40", "shuffled@40");
  expect(matches.slice(0, 4).map(([, head, other]) => [head, other])).toEqual([[0, 1], [1, 3], [2, 0], [3, 2]]);
  const pairs = again.getByTestId("match-row");
  await expect(pairs).toHaveCount(matches.length);
  await expect(again.getByTestId("matches-moved")).toHaveText("12 of 12 heads have another number in B");
  const [layer, head, other] = matches[6] ?? [0, 0, 0];
  await pairs.nth(6).getByRole("button").click();
  await expect(again.getByTestId("head-title")).toContainText(`Layer ${layer}, head ${head}`);
  await expect(again.locator("[data-testid=trend] [data-run=shuffled]")).toContainText(`${layer}.${other}`);
  expect(await hash(page)).toContain(`other=${other}`);
  // The same head under two numbers: nearly the same curve.
  const [one, two] = await Promise.all(["base", "shuffled"].map((run) => valueOf(again, run).textContent()));
  expect(Math.abs(Number.parseFloat(one ?? "") - Number.parseFloat(two ?? ""))).toBeLessThan(0.1);
});

test("of many heads all can be listed, and what rounding alone can make is hatched and said", async ({ open, page }) => {
  const pins = "&p.llmdebug.runs=many&p.llmdebug.a=0%3Amany&p.llmdebug.b=1%3Amany";
  for (const [tool, row] of [["changes", "change-row"], ["matches", "match-row"]] as const) {
    const frame = await open("steps", `${HEADS}${pins}${asked(`tool=${tool}`)}`);
    const rows = frame.getByTestId(row);
    await expect(rows).toHaveCount(400);
    await frame.getByTestId("show-every").click();
    await expect(rows).toHaveCount(420);
    await expect(frame.getByTestId("show-every")).toHaveCount(0);
    expect(await rows.evaluateAll((all) => all.filter((one) => one.getAttribute("data-floor") === "true").length)).toBeGreaterThan(300);
    await expect(frame.locator("#view")).toContainText("Hatched: below what the stored precision can tell from no change.");
    for (const head of await frame.getByTestId(tool).locator("thead th.number").all()) await expect(head).toHaveAttribute("title", /.{40,}/);
    await page.goto("about:blank");
  }
});

const SIMILAR = `
import sys, json, tb_llmdebug as l
stored = l.open_logdir(sys.argv[1]).attention(sys.argv[2], "decoder", int(sys.argv[3]))
print(json.dumps([[[*one[:2], *one.other, one.distance] for one in l.most_similar_heads(stored, example)] for example in (0, None)]))
`;

test("the most similar head is that of Python, asked for only where it is looked at, and leads there", async ({ open, serve, page }) => {
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/similar?")) asked.push(new URL(request.url()).search);
  });
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights&p.llmdebug.step=40&p.llmdebug.layer=2&p.llmdebug.head=1");
  const { logdir } = await serve("ordinary");
  const said = execFileSync(process.env["PYTHON"] ?? "python3", ["-c", SIMILAR, logdir, "all-weights", "40"], { encoding: "utf8" });
  const [first, mean] = JSON.parse(said) as [[number, number, number, number, number][], [number, number, number, number, number][]];
  const nearest = (layer: number, head: number) => first.find((one) => one[0] === layer && one[1] === head) ?? [0, 0, 0, 0, 0];
  const shown = (distance: number): string => Number(distance.toPrecision(3)).toPrecision(3);
  const row = frame.getByTestId("similar");
  await expect(row).toBeAttached();
  await page.waitForTimeout(1500);
  expect(asked).toEqual([]); // below the fold nobody looks at it
  await row.scrollIntoViewIfNeeded();
  const [, , layer, head, distance] = nearest(2, 1);
  await expect(row.locator("td")).toHaveText(`${layer}.${head} ${shown(distance)}`);
  await expect(row.locator("th")).toHaveAttribute("title", /Jensen-Shannon distance to it.*mean over real query rows/);
  await row.getByTestId("similar-head").click();
  await expect(frame.getByTestId("head-title")).toContainText(`Layer ${layer}, head ${head} locked`);
  const next = nearest(layer, head);
  await expect(row.locator("td")).toHaveText(`${next[2]}.${next[3]} ${shown(next[4])}`);
  expect(asked.length).toBe(1); // one answer holds every head

  await frame.getByTestId("tab-heads").click();
  await frame.getByTestId("tool-alike").click();
  const rows = frame.getByTestId("alike-row");
  const check = async (of: typeof first): Promise<void> => {
    const order = [...of].sort((a, b) => a[4] - b[4] || a[0] - b[0] || a[1] - b[1]);
    for (const i of [0, 4, 9]) {
      const one = order[i] ?? [0, 0, 0, 0, 0];
      await expect(rows.nth(i).getByRole("button")).toHaveText([`${one[0]}.${one[1]}`, `${one[2]}.${one[3]}`]);
      await expect(rows.nth(i).locator("td").nth(2)).toHaveText(shown(one[4]));
    }
  };
  await check(first);
  expect(asked.length).toBe(1);
  await frame.getByTestId("heads-mean").check();
  await expect(frame.getByTestId("alike")).toContainText("mean over 2 examples");
  await check(mean);
  const other = (await rows.nth(0).getByRole("button").nth(1).textContent()) ?? "";
  await rows.nth(0).getByRole("button").nth(1).click();
  await expect(frame.getByTestId("head-title")).toContainText(`Layer ${other.split(".")[0]}, head ${other.split(".")[1]}`);
  expect(await hash(page)).toContain("tool=alike");
});

/** What is asked for only in sight: scrolled to again if what came above it has moved it out. */
async function expectBelow(row: Locator, text: string): Promise<void> {
  await expect(async () => {
    await row.scrollIntoViewIfNeeded();
    await expect(row).toContainText(text, { timeout: 4000 });
  }).toPass({ timeout: 30_000 });
}

test("where no head can be most similar, a sentence says why", async ({ open, page }) => {
  const one = await open("edges", "&p.llmdebug.runs=one");
  await expectBelow(one.getByTestId("similar"), "There is no other head of this shape");
  await page.goto("about:blank");
  const pooled = await open("pooled", "&p.llmdebug.step=0");
  await expectBelow(pooled.getByTestId("similar"), "Not compared: Only pooled maps of this step were kept");
  // To ask again would not help.
  await pooled.getByTestId("tab-heads").click();
  await pooled.getByTestId("tool-alike").click();
  await expect(pooled.locator("#heads-tool").getByRole("alert")).toHaveText(/^Not compared: Only pooled maps of this step were kept/);
  await expect(pooled.locator("#heads-tool").getByRole("button")).toHaveCount(0);
});

test("what failed on its way is a line with a button that asks again", async ({ open, page }) => {
  await page.route("**/similar?*", (route) => route.abort());
  const frame = await open("matched", `${HEADS}${asked("tool=alike")}`);
  const failure = frame.locator("#heads-tool").getByTestId("failure");
  await expect(failure).toContainText("TensorBoard does not answer");
  expect((await failure.boundingBox())?.height).toBeLessThan(90);
  await page.unroute("**/similar?*");
  await failure.getByRole("button").click();
  await expect(frame.getByTestId("alike-row").first()).toBeVisible();
});

test("pins that are not set say what is compared in their place, where it is", async ({ open }) => {
  const frame = await open("matched", `${HEADS}&p.llmdebug.run=base${asked("tool=scatter")}`);
  const [a, b] = [frame.getByTestId("pin-a"), frame.getByTestId("pin-b")];
  await expect(a).toHaveText("A not set");
  await frame.getByTestId("tool-changes").click();
  await expect(frame.getByTestId("change-row").first()).toBeVisible();
  await expect(a).toHaveText("A base · 0");
  await expect(a).toHaveAttribute("aria-pressed", "false");
  await expect(a).toHaveAttribute("title", "Pin A: not set, base, step 0 is compared in its place");
  await expect(b).toHaveText("B base · 50");
  await expect(frame.locator("#heads-tool")).toContainText("A base · 0 → B base · 50");
});

test("runs of different architecture stand in one matrix, and what both have is compared", async ({ open }) => {
  const frame = await open("matched", `${HEADS}&p.llmdebug.layer=2&p.llmdebug.head=3&p.llmdebug.b=20%3Asmall${asked("tool=changes")}`);
  await expect(valueOf(frame, "base")).toHaveText(/bit/);
  await expect(valueOf(frame, "small")).toHaveText("–");
  await expect(frame.getByTestId("change-row")).toHaveCount(2);
});

test("64 x 64 heads of one step are one canvas, drawn a row at a time, and scroll", async ({ open, page }) => {
  await page.addInitScript(() => {
    const puts: number[][] = [];
    Object.assign(window, { puts });
    const put = Reflect.get(CanvasRenderingContext2D.prototype, "putImageData") as (...given: unknown[]) => void;
    CanvasRenderingContext2D.prototype.putImageData = function (this: CanvasRenderingContext2D, ...given: unknown[]): void {
      if (given.length > 3) puts.push([Number(given[4]), Number(given[6]), this.canvas.height]);
      Reflect.apply(put, this, given);
    };
  });
  const frame = await open("heads", HEADS);
  await expect(frame.getByTestId("spark-scale")).toContainText("one step");
  await expect(frame.getByTestId("spark-cursor")).toBeVisible();
  expect(await frame.locator("body").evaluate((body) => body.querySelectorAll("*").length)).toBeLessThan(600);
  const size = await frame.locator(".spark-scroll").evaluate((box) => [box.scrollWidth > box.clientWidth, box.scrollHeight > box.clientHeight]);
  expect(size).toEqual([true, true]);
  const puts = async (): Promise<number[][]> => frame.locator("body").evaluate(() => (window as unknown as { puts: number[][] }).puts);
  await expect.poll(async () => new Set((await puts()).map(([top]) => top)).size).toBe(64);
  expect((await puts()).every(([, height, all]) => (height ?? 0) > 0 && (height ?? 0) < (all ?? 0) / 50)).toBe(true);
});

test("a growing run's curves grow, and only what is new is asked for", async ({ open, serve, page }) => {
  const parts: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/heads?")) parts.push(new URL(request.url()).search);
  });
  const frame = await open("growing", HEADS);
  await expect(frame.getByTestId("spark-cursor")).toBeVisible();
  const { grow } = await serve("growing");
  const before = (await frame.getByTestId("step").textContent()) ?? "";
  await grow();
  await expect(frame.getByTestId("step")).not.toHaveText(before, { timeout: 30_000 });
  await expect.poll(() => parts.filter((part) => !part.includes("from=0")).length, { timeout: 15_000 }).toBeGreaterThan(0);
  await expect(frame.getByTestId("spark-scale")).toContainText("steps 0 to");
});
