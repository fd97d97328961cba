// What is saved is what is shown: files that other programs open, and a page that needs no server.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Page } from "@playwright/test";
import { exact, openSaved, python, save } from "./saving";
import { expect, test } from "./tensorboard";

test.use({ framed: false });

const LOCKED = "&p.llmdebug.runs=all-weights&p.llmdebug.step=50&p.llmdebug.layer=2&p.llmdebug.head=1";

test("numbers that are saved are those that were logged", async ({ open, serve, page }, info) => {
  const frame = await open("ordinary", `${LOCKED}&p.llmdebug.lens=sinks%3Dshown`);
  await exact(frame);
  const npy = await save(page, frame, "export-focus-npy", info);
  const csv = await save(page, frame, "export-focus-csv", info);
  expect(basename(npy)).toBe("llmdebug_all-weights_decoder_step-50_example-0_layer-2-head-1.npy");
  const { logdir } = await serve("ordinary");
  const said = python(
    logdir,
    [
      "loaded = np.load(files[0])",
      "rows = list(csv.reader(open(files[1], encoding='utf-8-sig', newline='')))",
      "keys = [place for place, name in enumerate(rows[0]) if name[:1].isdigit()]",
      "table = np.array([[float(row[place]) for place in keys] for row in rows[1:]], np.float32)",
      "print(json.dumps([str(loaded.dtype), bool((loaded == a).all()), bool((table == a).all()), rows[0][:3], rows[0][keys[1]], rows[3][:2]]))",
    ].join("\n"),
    npy,
    csv,
  );
  expect(JSON.parse(said)).toEqual(["float32", true, true, ["query", "query token", "padding"], "1 quick", ["2", "brown"]]);
});

test("what is set aside on screen is set aside in the file, which says so", async ({ open, serve, page }, info) => {
  const frame = await open("ordinary", LOCKED);
  await exact(frame);
  await expect(frame.getByTestId("focus-map")).toHaveCount(1);
  const npy = await save(page, frame, "export-focus-npy", info);
  const csv = await save(page, frame, "export-focus-csv", info);
  const { logdir } = await serve("ordinary");
  const said = python(
    logdir,
    [
      "loaded = np.load(files[0])",
      "rows = list(csv.reader(open(files[1], encoding='utf-8-sig', newline='')))",
      "rest = a[1:, 1:] / a[1:, 1:].sum(axis=1, keepdims=True)",
      "mass = np.array([float(row[rows[0].index('set aside')]) for row in rows[1:]])",
      "print(json.dumps([loaded.shape, bool(np.allclose(loaded[1:], rest, atol=1e-3)), bool(np.allclose(mass, a[:, 0], atol=1e-3)), [name for name in rows[0] if name[:1].isdigit()][0]]))",
    ].join("\n"),
    npy,
    csv,
  );
  expect(JSON.parse(said)).toEqual([[10, 9], true, true, "1 quick"]);
  const svg = readFileSync(await save(page, frame, "export-focus-svg", info), "utf8");
  expect(svg).toContain("set aside");
});

test("a picture is drawn for print, and the vectors say the same", async ({ open, page }, info) => {
  const frame = await open("ordinary", LOCKED);
  await exact(frame);
  const png = readFileSync(await save(page, frame, "export-focus-png", info));
  const perMetre = png.readUInt32BE(png.indexOf("pHYs") + 4);
  expect(perMetre * 0.0254).toBeGreaterThan(300);
  // At least a column of a journal wide: 85 mm.
  expect(png.readUInt32BE(16) / perMetre).toBeGreaterThan(0.085);
  const svg = readFileSync(await save(page, frame, "export-focus-svg", info), "utf8");
  const found = await page.evaluate((text) => {
    const root = new DOMParser().parseFromString(text, "image/svg+xml");
    return {
      texts: Array.from(root.querySelectorAll("text"), (one) => one.textContent),
      fills: new Set(Array.from(root.querySelectorAll("g rect"), (one) => one.getAttribute("fill"))).size,
      images: root.querySelectorAll("image").length,
    };
  }, svg);
  const said = found.texts.join("|");
  for (const text of ["decoder · layer 2, head 1", "all-weights · step 50 · example 0", "quick", "query", "key", "10 × 10 tokens · every weight", "attention weight"]) {
    expect(said).toContain(text);
  }
  expect(found.fills).toBeGreaterThan(10);
  expect(found.images).toBe(0);
});

test("a large map is one picture in the vectors, and its file stays small", async ({ open, page }, info) => {
  const frame = await open("large");
  await exact(frame);
  const svg = readFileSync(await save(page, frame, "export-focus-svg", info), "utf8");
  expect(svg.match(/<image /g)).toHaveLength(1);
  expect(svg).toContain("data:image/png;base64,");
  expect(svg.length).toBeLessThan(5e6);
});

test("the grid, the difference and the tables are offered as they are shown", async ({ open, page }, info) => {
  const frame = await open("ordinary", `${LOCKED}&p.llmdebug.difference=1`);
  await exact(frame);
  await frame.getByTestId("export").click();
  await expect(frame.getByTestId("export-menu").getByRole("group", { name: "All heads", exact: true }).locator("bdi")).toHaveText(["A · all-weights", "B · all-weights", "B − A"]);
  await frame.locator("body").press("Escape");
  const svg = readFileSync(await save(page, frame, "export-grid-svg", info, 2), "utf8");
  expect(svg).toContain("B − A · A: all-weights, step 0 · B: all-weights, step 50 · example 0");
  expect(svg).toContain("change of the weight");
  const csv = readFileSync(await save(page, frame, "export-table-csv", info), "utf8");
  expect(csv.split("\r\n").slice(0, 2).join("\n")).toMatch(/^\uFEFFrun,side,step,layer,layer name,head,entropy,.*\nall-weights,A,0,2,/);
});

for (const [view, title, header] of [
  ["heads", "over the steps", "run,step,layer,head,entropy"],
  ["attributions", "Scores", "run,step,position,token,score"],
  ["anomalies", "anomalies", "run,name,rule,severity,first step"],
] as const) {
  test(`${view} are saved as a table`, async ({ open, page }, info) => {
    const frame = await open("ordinary", `&p.llmdebug.view=${view}`);
    await expect(frame.getByTestId({ heads: "spark-cursor", attributions: "strip", anomalies: "anomaly" }[view]).first()).toBeVisible();
    await frame.getByTestId("export").click();
    await expect(frame.getByTestId("export-menu")).toContainText(title);
    await frame.locator("body").press("Escape");
    const csv = readFileSync(await save(page, frame, "export-table-csv", info), "utf8");
    expect(csv).toMatch(new RegExp(`^\\uFEFF${header}`));
    expect(csv.split("\r\n").length).toBeGreaterThan(2);
    if (view !== "anomalies") return;
    const found = await readSvg(page, readFileSync(await save(page, frame, "export-table-svg", info), "utf8"), "text");
    expect(found).toMatchObject({ error: false, cut: [], overlapping: [] });
    expect(found.texts).toEqual(expect.arrayContaining(["Weight on padding", "padding-mistake", "decoder"]));
  });
}

interface SvgFound {
  readonly error: boolean;
  readonly title: string;
  readonly texts: readonly string[];
  /** Texts that leave the picture. */
  readonly cut: readonly string[];
  /** Pairs of texts that lie on each other. */
  readonly overlapping: readonly string[];
  readonly marks: number;
}

/** An SVG as a browser reads and sets it. */
function readSvg(page: Page, text: string, marks: string): Promise<SvgFound> {
  return page.evaluate(([source, selector]) => {
    const root = new DOMParser().parseFromString(source, "image/svg+xml");
    const svg = document.importNode(root.documentElement, true);
    document.body.append(svg);
    const inner = (box: DOMRect): DOMRect => new DOMRect(box.x + 1, box.y + box.height * 0.2, Math.max(0, box.width - 2), box.height * 0.6);
    const boxes = Array.from(svg.querySelectorAll("text"), (one) => ({ text: one.textContent, box: inner(one.getBoundingClientRect()) }));
    const all = svg.getBoundingClientRect();
    const apart = (a: DOMRect, b: DOMRect): boolean => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
    const found = {
      error: root.querySelector("parsererror") !== null,
      title: svg.querySelector("title")?.textContent ?? "",
      texts: boxes.map((one) => one.text),
      cut: boxes.filter(({ box }) => box.left < all.left || box.top < all.top || box.right > all.right || box.bottom > all.bottom).map((one) => one.text),
      overlapping: boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b) => (apart(a.box, b.box) ? [] : [`${a.text} | ${b.text}`]))),
      marks: svg.querySelectorAll(selector).length,
    };
    svg.remove();
    return found;
  }, [text, marks] as const);
}

const PNG_SIGNATURE = "89504e470d0a1a0a";

/** A list of heads, of one run and of that run between two steps. */
const LIST = `&p.llmdebug.view=heads${LOCKED}&p.llmdebug.a=0:all-weights&p.llmdebug.b=50:all-weights&p.llmdebug.heads=tool%3D`;

/** [view, kind of log, selection, what is waited for, figures: [section, place in it, title, texts, marks, how many at least]] */
const FIGURES = [
  ["heads", "ordinary", "&p.llmdebug.view=heads&p.llmdebug.layer=1&p.llmdebug.head=2", "spark-cursor", [
    // 12 heads, two long runs.
    ["grid", 0, "entropy of every head over the steps", ["all-weights", "padding-mistake", "layer", "head", "every cell from 0 bit"], "polyline", 24],
    ["grid", 1, "first token against entropy", ["↑ first token", "entropy →", "all-weights"], "circle", 24],
    ["focus", 0, "entropy of layer 1, head 2 over the steps", ["step →", "↑ entropy", "the line marks step 90"], "polyline[stroke-width='1.2']", 2],
  ]],
  ["the finder", "ordinary", `${LIST}find`, "finder-row", [
    ["table", 0, "Heads of all-weights by entropy, step 50", ["rank", "1 of 12", "10 of 12", "highest first", "10 of 12 rows"], "rect:not([opacity])", 11],
  ]],
  ["the most similar heads", "ordinary", `${LIST}alike`, "alike-row", [
    ["table", 0, "Heads of all-weights and the most similar one of each, step 50, example 0", ["most similar", "JS distance", "1 of 12"], "rect:not([opacity])", 11],
  ]],
  ["the most changed heads", "steps", "&p.llmdebug.view=heads&p.llmdebug.runs=many&p.llmdebug.a=0:many&p.llmdebug.b=1:many&p.llmdebug.heads=tool%3Dchanges", "change-row", [
    ["table", 0, "Jensen-Shannon distance of each head between A and B", ["A many · 0 → B many · 1", "± spread", "1 of 420", "112 of 420 rows", "Hatched: below"], "rect[fill^='url']", 50],
  ]],
  ["the matched heads", "ordinary", `${LIST}matches`, "match-row", [
    ["table", 0, "Each head of A and its partner in B", ["A all-weights · 0 → B all-weights · 50", "A 2.1 ↔ B 2.", "12 heads have another number"], "rect:not([opacity])", 13],
  ]],
  ["over time", "ordinary", "&p.llmdebug.multiples=on&p.llmdebug.runs=all-weights,dropped&p.llmdebug.layer=1&p.llmdebug.head=2", "multiples", [
    // One map at each of 10 steps has 10 x 10 texels or more.
    ["focus", 2, "decoder · layer 1, head 2", ["steps 0 to 90, 10 of 10", "all-weights", "dropped", "attention weight", "hatched: map dropped"], "g rect", 300],
  ]],
  ["attributions", "ordinary", "&p.llmdebug.view=attributions", "strip", [
    ["strips", 0, "next token · all-weights", ["quick", "lazy", "90", "score, of the step's largest"], "rect[opacity]", 80],
  ]],
  ["teaching", "taught", "&p.llmdebug.teaching=softmax&p.llmdebug.runs=gpt2&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.query=6", "teach-row", [
    ["focus", 1, "decoder · layer 1, head 2: query 6 “the”", ["exp(z − m)", "quick", "step 4 of 5: softmax", "weight"], "rect[opacity]", 10],
  ]],
] as const;

for (const [view, kind, hash, ready, figures] of FIGURES) {
  test(`figures of ${view} are drawn whole, as vectors and as pixels`, async ({ open, page }, info) => {
    const frame = await open(kind, hash);
    await expect(frame.getByTestId(ready).first()).toBeVisible();
    await frame.getByTestId("export").click();
    await expect(frame.getByTestId("export-menu")).not.toContainText("Nothing to save");
    await frame.locator("body").press("Escape");
    for (const [section, nth, title, texts, marks, least] of figures) {
      await expect(async () => {
        const svg = readFileSync(await save(page, frame, `export-${section}-svg`, info, nth), "utf8");
        const found = await readSvg(page, svg, marks);
        expect(found).toMatchObject({ error: false, title, cut: [], overlapping: [] });
        const said = found.texts.join("|");
        for (const text of texts) expect(said).toContain(text);
        expect(found.marks).toBeGreaterThanOrEqual(least);
      }).toPass({ timeout: 20_000 });
      const png = readFileSync(await save(page, frame, `export-${section}-png`, info, nth));
      expect(png.subarray(0, 8).toString("hex")).toBe(PNG_SIGNATURE);
      expect(png.readUInt32BE(16)).toBeGreaterThan(1000);
    }
  });
}

test("the numbers under the pictures: one head over time, one row step by step", async ({ open, page }, info) => {
  const time = await open("ordinary", "&p.llmdebug.multiples=on&p.llmdebug.runs=all-weights&p.llmdebug.layer=2&p.llmdebug.head=1");
  // What is not drawn yet is not in the menu that is opened.
  await exact(time);
  await expect(time.getByTestId("multiples-cursor")).toHaveAttribute("aria-label", /entropy/);
  await expect(async () => {
    const steps = readFileSync(await save(page, time, "export-focus-csv", info, 1), "utf8").trim().split("\r\n");
    expect(steps[0]).toMatch(/^run,step,layer,head,map,largest weight,set aside,entropy/);
    expect(steps.slice(1).map((line) => line.split(",").slice(0, 5).join(","))).toEqual(Array.from({ length: 10 }, (_, i) => `all-weights,${10 * i},2,1,1`));
  }).toPass({ timeout: 20_000 });
  const row = await open("taught", "&p.llmdebug.teaching=product&p.llmdebug.runs=gpt2&p.llmdebug.layer=1&p.llmdebug.head=2&p.llmdebug.query=6");
  await expect(row.getByTestId("teach-row")).toBeVisible();
  await exact(row);
  const keys = readFileSync(await save(page, row, "export-focus-csv", info, 1), "utf8").trim().split("\r\n").map((line) => line.split(","));
  expect(keys[0]?.slice(1)).toEqual(["token", "masked", "q.k", "scaled", "logit", "exp(z-m)", "weight", "length of w v", "stored weight"]);
  expect(keys).toHaveLength(11);
  // What was computed is what was stored, and the weights of the row are all of it.
  const weights = keys.slice(1).map((cells) => [Number(cells[7]), Number(cells[9])] as const);
  for (const [computed, stored] of weights) expect(Math.abs(computed - stored)).toBeLessThan(0.001);
  expect(weights.reduce((sum, [computed]) => sum + computed, 0)).toBeCloseTo(1, 5);
});

/** What Python says of the same record, in the order of the lists: of all heads, unrounded. */
const LISTS = [
  "before = logdir.attention('all-weights', 'decoder', step=0)",
  "column = list(record.message.statistics).index('entropy')",
  "values = {(layer.layer, head): float(record.statistics(layer.layer)[place, column]) for layer in record.message.layers for place, head in enumerate(layer.heads)}",
  "alike = sorted(llmdebug.most_similar_heads(record), key=lambda one: one.distance)",
  "between = llmdebug.compare(before, record)",
  "floors = {layer.layer: layer.floor for layer in between.layers}",
  "changes, matches = between.most_changed(), llmdebug.match_heads(before, record)",
  "print(json.dumps({",
  "'find': [[*head, values[head]] for head in sorted(values, key=lambda head: -values[head])],",
  "'alike': [[one.layer, one.head, *one.other, one.distance] for one in alike],",
  "'changes': [[*one, int(one.mean < floors[one.layer])] for one in changes],",
  "'matches': [[*one, int(one.distance < floors[one.layer])] for one in matches],",
  "'changes floors': [[one.layer, floors[one.layer]] for one in changes],",
  "'matches floors': [[one.layer, floors[one.layer]] for one in matches],",
  "'array': [list(np.load(files[0]).shape), np.load(files[0])[2, 1].item(), str(np.load(files[0]).dtype)],",
  "'pairs': bool(np.array_equal(np.load(files[1]), np.array([[*one] for one in matches], np.float32))),",
  "}))",
].join("\n");

test("lists of heads are saved whole, in their order and unrounded, with ranks, spread and floor", async ({ open, serve, page }, info) => {
  const said = { find: "finder-row", alike: "alike-row", changes: "change-row", matches: "match-row" } as const;
  const saved: Record<string, string[][]> = {};
  const arrays: string[] = [];
  for (const [tool, row] of Object.entries(said)) {
    await page.goto("about:blank");
    const frame = await open("ordinary", `${LIST}${tool}`);
    await expect(frame.getByTestId(row).first()).toBeVisible();
    await expect(frame.locator("[aria-busy=true]")).toHaveCount(0);
    const csv = readFileSync(await save(page, frame, "export-table-csv", info, 2), "utf8");
    saved[tool] = csv.slice(1).trim().split("\r\n").map((line) => line.split(","));
    if (tool === "find" || tool === "matches") arrays.push(await save(page, frame, "export-table-npy", info));
  }
  const { logdir } = await serve("ordinary");
  const logged = JSON.parse(python(logdir, LISTS, ...arrays)) as Record<string, number[][]>;
  /** The named columns of a list as numbers. */
  const numbers = (tool: string, ...names: string[]): number[][] => {
    const [header, ...rows] = saved[tool] ?? [];
    return rows.map((cells) => names.map((name) => Number(cells[header?.indexOf(name) ?? -1])));
  };
  // Statistics and floors come as float32, of which no digit is lost.
  const single = (rows: number[][] | undefined): number[][] => (rows ?? []).map((row) => row.map(Math.fround));
  expect(single(numbers("find", "layer", "head", "entropy"))).toEqual(logged["find"]);
  expect(numbers("alike", "layer", "head", "similar layer", "similar head", "distance")).toEqual(logged["alike"]);
  expect(numbers("changes", "layer", "head", "mean distance", "spread", "below floor")).toEqual(logged["changes"]);
  expect(numbers("matches", "layer", "head A", "head B", "distance", "below floor")).toEqual(logged["matches"]);
  for (const tool of ["changes", "matches"]) expect(single(numbers(tool, "layer", "floor"))).toEqual(single(logged[`${tool} floors`]));
  for (const tool of ["find", "changes"]) expect(numbers(tool, "rank", "of")).toEqual(Array.from({ length: 12 }, (_, i) => [i + 1, 12]));
  expect(saved["changes"]?.[1]?.slice(0, 5)).toEqual(["all-weights", "0", "all-weights", "50", "2"]);
  expect(logged["array"]).toEqual([[3, 4], logged["find"]?.find(([layer, head]) => layer === 2 && head === 1)?.[2], "float32"]);
  expect(logged["pairs"]).toBe(true);
});

test("hostile tokens are text in every figure", async ({ open, page }, info) => {
  const frame = await open("hostile", "&p.llmdebug.view=attributions");
  await expect(frame.getByTestId("strip").first()).toBeVisible();
  const svg = readFileSync(await save(page, frame, "export-strips-svg", info), "utf8");
  expect(svg).not.toMatch(/<script|<img/);
  expect((await readSvg(page, svg, "text")).texts).toContain("<script>alert(2)</script>");
});

test("the menu is worked by keyboard, and gives the focus back", async ({ open, page }) => {
  const frame = await open("ordinary", LOCKED);
  await exact(frame);
  await frame.locator("body").press("e");
  const focused = (): Promise<string | null> => frame.locator(":focus").getAttribute("data-testid");
  await expect(frame.getByTestId("export-focus-png")).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  expect(await focused()).toBe("export-focus-csv");
  await page.keyboard.press("ArrowDown");
  expect(await focused()).toBe("export-grid-svg");
  // Keys of the page are not those of an open menu.
  await page.keyboard.press("d");
  await expect(frame.getByTestId("difference")).toHaveAttribute("aria-pressed", "false");
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  expect(download.suggestedFilename()).toMatch(/all-heads\.svg$/);
  await expect(frame.getByTestId("export-menu")).toBeHidden();
  await expect(frame.getByTestId("export")).toBeFocused();
  await page.keyboard.press("e");
  await page.keyboard.press("Escape");
  await expect(frame.getByTestId("export-menu")).toBeHidden();
  await expect(frame.getByTestId("export")).toBeFocused();
});

test("logged text cannot leave its place in a saved file", async ({ open, page }, info) => {
  const frame = await open("hostile");
  await exact(frame);
  const svg = readFileSync(await save(page, frame, "export-focus-svg", info), "utf8");
  expect(svg).not.toContain("<script");
  expect(svg).toContain("&lt;script&gt;");
  const csv = readFileSync(await save(page, frame, "export-focus-csv", info), "utf8");
  expect(csv).toContain("<script>alert(2)</script>");
  const path = await save(page, frame, "export-page-html", info);
  expect(basename(path)).toMatch(/^llmdebug_[\p{L}\p{N}_.-]+\.html$/u);
  expect(readFileSync(path, "utf8")).not.toContain("alert(2)");
  const seen = await openSaved(page, path);
  await expect(page.getByTestId("running-text")).toContainText("<script>alert(2)</script>");
  expect(await page.locator("img").count()).toBe(0);
  expect(seen).toEqual({ problems: [], requests: [] });
});
