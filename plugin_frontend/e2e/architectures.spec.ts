// Real architectures, logged through the capture adapters: what is on screen against the models' own configurations.
import type { Locator } from "@playwright/test";
import { expect, test, type Served, type View } from "./tensorboard";

test.use({ framed: false });

interface Config {
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads?: number;
  readonly sliding_window?: number | null;
  readonly layer_types?: readonly string[];
}

interface Said {
  readonly configs: Readonly<Record<string, Config>>;
  readonly tokens: readonly string[];
  readonly window: number;
}

const saidBy = ({ said }: Served): Said => JSON.parse(said) as Said;

// They take long to write: no test's time.
test.beforeAll(async ({ serve }, info) => {
  info.setTimeout(300_000);
  await serve("real");
});

const panelOf = (frame: View, run: string): Locator => frame.locator(`[data-testid=panel][data-run="${run}"]`);
const at = (runs: string, more = ""): string => `&p.llmdebug.runs=${runs}${more}`;
const exact = (panel: Locator): Promise<void> => expect(panel.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");

/** Bands of ink over most of the width at the top of the grid: the thumbnails, and above them brackets. */
async function inkedBands(panel: Locator): Promise<number> {
  return panel.locator(".grid-canvas canvas").first().evaluate((element) => {
    const canvas = element as HTMLCanvasElement;
    const rows = 34 * devicePixelRatio;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, rows);
    const inked = (row: number): number => {
      let count = 0;
      for (let x = 0; x < canvas.width; x += 1) if ((data[4 * (row * canvas.width + x) + 3] ?? 0) > 40) count += 1;
      return count;
    };
    const wide = Array.from({ length: rows }, (_, row) => inked(row) > canvas.width * 0.6);
    return wide.filter((on, row) => on && wide[row - 1] !== true).length;
  });
}

test("maps of the same tokens side by side have the same room, so their axes name the same tokens", async ({ open }) => {
  const frame = await open("real", at("llama,mistral,jamba", "&p.llmdebug.layer=1&p.llmdebug.head=5"));
  await expect(frame.getByTestId("focus-map")).toHaveCount(3);
  const widths = await frame.locator(".focus-canvas").evaluateAll((maps) => maps.map((map) => map.getBoundingClientRect().width));
  expect(Math.max(...widths) - Math.min(...widths)).toBeLessThan(0.1);
});

test("maps side by side stand at one height, whatever stands over them", async ({ open, page }) => {
  // Three layers, six, and a head of which nothing is said.
  const runs = ["llama", "jamba", "gpt2"];
  const frame = await open("real", at(runs.join(","), "&p.llmdebug.layer=1&p.llmdebug.head=5"));
  for (const width of [1024, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    for (const run of runs) await exact(panelOf(frame, run));
    const tops = (): Promise<number[]> => frame.locator(".focus-canvas").evaluateAll((maps) => maps.map((map) => map.getBoundingClientRect().top));
    await expect.poll(async () => new Set(await tops()).size).toBe(1);
    expect(await tops()).toHaveLength(3);
  }
});

test("every model has the layers and heads of its configuration, side by side", async ({ open, serve }) => {
  test.slow();
  const { configs } = saidBy(await serve("real"));
  const families = ["gpt2", "bert", "llama", "qwen3"];
  const frame = await open("real", at(families.join(","), "&p.llmdebug.table=1"));
  for (const family of families) {
    const table = panelOf(frame, family).getByTestId("grid-table");
    // GPT-2 has names of its own for them.
    const config = configs[family] as unknown as Readonly<Record<string, number>>;
    await expect(table.getByRole("row")).toHaveCount(1 + (config["num_hidden_layers"] ?? config["n_layer"] ?? 0));
    await expect(table.getByRole("columnheader")).toHaveCount(1 + (config["num_attention_heads"] ?? config["n_head"] ?? 0));
  }
});

test("heads that share keys and values stand under one bracket, and the head says with whom", async ({ open, serve }) => {
  const { configs } = saidBy(await serve("real"));
  const frame = await open("real", at("llama,qwen3,gpt2", "&p.llmdebug.layer=1&p.llmdebug.head=5"));
  for (const run of ["llama", "qwen3"]) {
    const { num_attention_heads: heads, num_key_value_heads: shared } = configs[run]!;
    const size = heads / shared!;
    const first = Math.floor(5 / size) * size;
    const others = Array.from({ length: size }, (_, i) => first + i).filter((head) => head !== 5);
    await expect(panelOf(frame, run).getByTestId("head-notes")).toContainText("shares keys and values with head");
    const said = (await panelOf(frame, run).getByTestId("head-notes").textContent()) ?? "";
    expect(said.match(/\d+/g)?.map(Number)).toEqual(others);
    await exact(panelOf(frame, run));
    expect(await inkedBands(panelOf(frame, run))).toBe(2);
    const groups = run === "llama" ? "0–3; 4–7" : "0, 1; 2, 3; 4, 5; 6, 7";
    await expect(panelOf(frame, run).getByTestId("head-grid")).toHaveAttribute("aria-label", `Heads of ${run}, heads that share keys and values: ${groups}`);
  }
  await expect(panelOf(frame, "gpt2").getByTestId("focus-map")).toBeVisible();
  await expect(panelOf(frame, "gpt2").getByTestId("head-notes")).toHaveCount(0);
  expect(await inkedBands(panelOf(frame, "gpt2"))).toBe(1);
});

test("a sliding window is said for the layers that have one, and holds what it says", async ({ open, serve, page }) => {
  const { configs, window } = saidBy(await serve("real"));
  const types = configs["gemma2"]!.layer_types ?? [];
  const frame = await open("real", at("mistral,gemma2", "&p.llmdebug.layer=0&p.llmdebug.head=0"));
  const cursor = panelOf(frame, "mistral").getByTestId("grid-cursor");
  await cursor.focus();
  for (const [layer, type] of types.entries()) {
    await expect(frame.getByTestId("head-title")).toContainText(`Layer ${layer}`);
    const text = `a token sees ${window} keys, itself included`;
    await expect(panelOf(frame, "mistral").getByTestId("head-notes")).toContainText(text);
    const gemma = panelOf(frame, "gemma2").getByTestId("head-notes");
    if (type === "sliding_attention") await expect(gemma).toContainText(text);
    else await expect(gemma).not.toContainText("window");
    await cursor.press("ArrowDown");
  }
  // Beyond the window there is nothing, inside there is something.
  await exact(panelOf(frame, "mistral"));
  const canvas = panelOf(frame, "mistral").locator(".focus-canvas");
  const box = await canvas.boundingBox();
  if (box === null) throw new Error("there is no map");
  const readout = panelOf(frame, "mistral").getByTestId("cell-readout");
  await page.mouse.move(box.x + box.width - 40, box.y + box.height - 40);
  await expect(readout).toHaveText(/: 0\.\d+|: \d\.\d+e−\d/);
  await page.mouse.move(box.x + box.width * 0.35, box.y + box.height - 40);
  await expect(readout).toHaveText(/: 0 ·/);
});

test("layers without attention keep their numbers, and their rows say that there is no map", async ({ open, serve }) => {
  const { configs } = saidBy(await serve("real"));
  const { num_hidden_layers: layers } = configs["jamba"]!;
  const { attn_layer_period: period, attn_layer_offset: offset } = configs["jamba"]! as unknown as Record<string, number>;
  const attending = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => layer % period! === offset);
  const frame = await open("real", at("jamba,llama"));
  const panel = panelOf(frame, "jamba");
  await expect(panel.getByTestId("caption")).toContainText("linear layers without a map: 0, 2, 3, 5");
  // The first layer is Llama's only.
  await expect(panel.getByTestId("without-map")).toBeVisible();
  const cursor = panelOf(frame, "llama").getByTestId("grid-cursor");
  await cursor.focus();
  await cursor.press("ArrowDown");
  await expect(frame.getByTestId("head-title")).toContainText("Layer 1");
  await expect(panel.getByTestId("focus-map")).toBeVisible();
  await cursor.press("ArrowDown");
  // Llama has a layer 2; Jamba's own says what it is.
  await expect(frame.getByTestId("head-title")).toContainText("Layer 2");
  await expect(panel.getByTestId("without-map")).toHaveText("linear layer, no map");
  await expect(panel.getByTestId("without-map")).toHaveAttribute("title", "model.layers.2.mamba (JambaMambaMixer)");
  await expect(panelOf(frame, "llama").getByTestId("focus-map")).toBeVisible();
  await frame.getByTestId("table-toggle").click();
  const table = panel.getByTestId("grid-table");
  await expect(table.getByRole("row")).toHaveCount(1 + layers);
  await expect(table.getByTestId("row-without-map")).toHaveCount(layers - attending.length);
  await expect(table.getByTestId("row-without-map").first()).toContainText("linear layer, no map");
  // The Heads view numbers them alike.
  await frame.getByTestId("tab-heads").click();
  const numbers = frame.locator('[data-testid=heads-table][aria-label="Heads of jamba"] th[scope=row]');
  await expect(numbers).toHaveText(attending.map(String));
});

test("encoder, decoder and cross-attention are three names; the last is rectangular", async ({ open }) => {
  const frame = await open("real", at("t5", "&p.llmdebug.name=model/cross"));
  for (const kind of ["encoder", "decoder", "cross"]) {
    await expect(frame.getByRole("button", { name: new RegExp(`model/${kind}`) })).toBeVisible();
  }
  const panel = panelOf(frame, "t5");
  await expect(panel.getByTestId("caption")).toContainText("7 × 28 tokens");
  await expect(panel.getByTestId("head-notes")).toContainText("7 queries look at 28 keys of another text");
  const text = panel.getByTestId("running-text");
  await expect(text.locator("[data-side=query]")).toHaveCount(7);
  await expect(text.locator("[data-side=key]")).toHaveCount(28);
  await frame.getByRole("button", { name: /model\/encoder/ }).click();
  await expect(panel.getByTestId("caption")).toContainText("28 × 28 tokens");
});

test("a generation grows by a row per step and keeps its place", async ({ open, page }) => {
  const frame = await open("real", at("llama", "&p.llmdebug.name=generation&p.llmdebug.layer=1&p.llmdebug.head=2"));
  const panel = panelOf(frame, "llama");
  await expect(panel.getByTestId("caption")).toContainText(/^28 × 28 tokens .* rows of 21 decoding steps/);
  await expect(frame.getByTestId("statistics")).toContainText("rows of this step only");
  await exact(panel);
  const box = await panel.locator(".focus-canvas").boundingBox();
  if (box === null) throw new Error("there is no map");
  const place = { x: box.x + 0.3 * box.width, y: box.y + 0.4 * box.height };
  await page.mouse.move(place.x, place.y);
  const readout = panel.getByTestId("cell-readout");
  await expect(readout).toHaveText(/→/);
  const before = await readout.textContent();
  for (let press = 0; press < 6; press += 1) await page.keyboard.press("[");
  await expect(panel.getByTestId("caption")).toContainText(/^22 × 22 tokens .* rows of 15 decoding steps/);
  await exact(panel);
  await page.mouse.move(place.x + 1, place.y);
  // The row was computed once, at its own step: it is the same row, in the same place.
  await expect(readout).toHaveText(before ?? "");
  await page.mouse.move(box.x + 0.6 * box.width, box.y + box.height - 30);
  await expect(readout).toHaveText("");
});

test("layers may have different numbers of heads", async ({ open }) => {
  const frame = await open("real", at("ragged"));
  const cursor = frame.getByTestId("grid-cursor");
  await cursor.focus();
  await cursor.press("ArrowRight");
  await expect(frame.getByTestId("head-title")).toContainText("Layer 0, head 1");
  await cursor.press("ArrowDown");
  for (let press = 0; press < 6; press += 1) await cursor.press("ArrowRight");
  await expect(frame.getByTestId("head-title")).toContainText("Layer 1, head 7");
  await frame.getByTestId("table-toggle").click();
  const cells = frame.getByTestId("grid-table").locator("tbody tr");
  for (const [row, heads] of [2, 8, 4].entries()) await expect(cells.nth(row).getByRole("button")).toHaveCount(heads);
});

test("spaces, line ends and bytes of a character are seen, and letters from right to left stay inside their token", async ({
  open,
  serve,
}) => {
  const { tokens } = saidBy(await serve("real"));
  const frame = await open("real", at("llama"));
  const shown = frame.getByTestId("running-text").locator(".token");
  await expect(shown).toHaveCount(tokens.length);
  const glyphs: Readonly<Record<string, string>> = { " ": "␣", "\n": "↵", "\t": "⇥", "\u00a0": "⍽" };
  for (const [place, token] of tokens.entries()) {
    const [, text = token, part = ""] = /^([^]*?)( \d\/\d)?$/.exec(token) ?? [];
    const expected = `${Array.from(text, (letter) => glyphs[letter] ?? letter).join("")}${part}`;
    expect(await shown.nth(place).textContent()).toBe(expected);
  }
  expect(tokens.some((token) => / 1\/3$/.test(token))).toBe(true);
  const hebrew = shown.filter({ hasText: /[\u05d0-\u05ea]/ }).first();
  expect(await hebrew.evaluate((span) => getComputedStyle(span).direction)).toBe("rtl");
  expect(await hebrew.evaluate((span) => getComputedStyle(span).unicodeBidi)).toMatch(/isolate/);
});
