// Stepping through one row of attention, on probes of real models: the numbers on screen are those that
// Python reads and computes.
import { execFileSync } from "node:child_process";
import type { Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { expect, test, type View } from "./tensorboard";

test.use({ framed: false });

const PYTHON = process.env["PYTHON"] ?? "python3";
const READ = `
import json, sys
import numpy as np
import tb_llmdebug as llmdebug
logdir, run, step, layer, head, example, query = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
stored = llmdebug.open_logdir(logdir).attention(run, "decoder", step)
vectors = stored.vectors(layer, head, example)
products = vectors.q.astype(float) @ vectors.k.astype(float).T
rows = {
    "product": products, "scale": products * vectors.scale, "mask": vectors.logits(), "weight": vectors.weights(),
    "part": vectors.weights() * np.linalg.norm(vectors.v.astype(float), axis=1),
}
found = {name: [float(x) for x in row[query]] for name, row in rows.items()}
found["output"] = [float(x) for x in vectors.output()[query]]
found["terms"] = [float(x) for x in vectors.q[query].astype(float) * vectors.k.astype(float)[1]]
found["apart"] = float(np.abs(vectors.weights()[query] - stored.weights(layer, head, example)[query]).max())
print(json.dumps(found).replace("-Infinity", "null"))
`;

type Numbers = Readonly<Record<"product" | "scale" | "mask" | "weight" | "part" | "output" | "terms", readonly (number | null)[]>> & {
  readonly apart: number;
};

function read(logdir: string, run: string, place: Readonly<Record<"step" | "layer" | "head" | "example" | "query", number>>): Numbers {
  const { step, layer, head, example, query } = place;
  const args = [logdir, run, ...[step, layer, head, example, query].map(String)];
  return JSON.parse(execFileSync(PYTHON, ["-c", READ, ...args], { encoding: "utf8" })) as Numbers;
}

const numberOf = (text: string): number | null => (text.includes("∞") ? null : Number(text.replace("−", "-").replace(/[^\d.e-]/g, "")));

/** Three digits are shown. */
function expectClose(shown: readonly (number | null)[], wanted: readonly (number | null)[]): void {
  expect(shown).toHaveLength(wanted.length);
  shown.forEach((value, i) => {
    const other = wanted[i] ?? null;
    if (value === null || other === null) expect(value).toBe(other);
    else expect(Math.abs(value - other)).toBeLessThanOrEqual(Math.abs(other) * 0.006 + 1e-12);
  });
}

async function column(frame: View, name: string): Promise<(number | null)[]> {
  const cells = frame.locator(`[data-testid=teach-keys] td[data-column=${name}] > span`);
  return (await cells.allTextContents()).map(numberOf);
}

const at = (text: string): string => `&p.llmdebug.step=10${text}`;

async function hash(page: Page): Promise<string> {
  await page.waitForTimeout(300); // longer than the page waits before it writes the hash
  return decodeURIComponent(new URL(page.url()).hash);
}

for (const { run, layer, head } of [{ run: "gpt2", layer: 1, head: 2 }, { run: "llama", layer: 0, head: 3 }, { run: "keras", layer: 0, head: 1 }]) {
  test(`each step of ${run} shows the numbers that Python computes from the record`, async ({ open, serve, page }) => {
    const where = `&p.llmdebug.layer=${layer}&p.llmdebug.head=${head}&p.llmdebug.query=6`;
    const frame = await open("taught", at(`&p.llmdebug.runs=${run}${where}`));
    const { logdir } = await serve("taught");
    const wanted = read(logdir, run, { step: 10, layer, head, example: 0, query: 6 });
    await frame.getByTestId("teach").click();
    await expect(frame.getByTestId("teach-row")).toHaveAttribute("data-query", "6");
    await expect(frame.getByTestId("teach-progress")).toHaveText("step 1 of 5");
    for (const [i, name] of (["product", "scale", "mask", "weight", "part"] as const).entries()) {
      if (i > 0) await frame.getByTestId("teach-next").click();
      await expect(frame.getByTestId("teach-progress")).toHaveText(`step ${i + 1} of 5`);
      await expect(frame.locator(`[data-testid=teach-keys] th[data-column=${name}]`)).toContainText("new");
      expectClose(await column(frame, name), wanted[name]);
      await expect(frame.getByTestId("teach-formula").locator("math").first()).toBeVisible();
    }
    expectClose((await frame.locator("[data-testid=teach-output] td[data-fresh=true] > span").allTextContents()).map(numberOf), wanted.output);
    const verdict = frame.getByTestId("teach-verdict");
    await expect(verdict).toContainText("✓");
    await expect(verdict).toHaveAttribute("data-agrees", "true");
    expect(Number(await verdict.getAttribute("data-difference"))).toBeCloseTo(wanted.apart, 6);
    await expect(frame.getByTestId("teach-next")).toBeDisabled();
    // Later keys are masked in a causal model, and say so.
    await page.keyboard.press(",");
    await page.keyboard.press(",");
    await expect(frame.locator("[data-testid=teach-keys] tr[data-masked=true]")).toHaveCount(3);
    await expect(frame.locator("[data-testid=teach-keys] tr[data-masked=true]").first()).toContainText("−∞ masked");
  });
}

test("hovering a key shows its products; arrows choose one; the query changes with the select and with the map", async ({ open, serve, page }) => {
  const frame = await open("taught", at("&p.llmdebug.runs=gpt2&p.llmdebug.teaching=product&p.llmdebug.query=6"));
  const { logdir } = await serve("taught");
  const wanted = read(logdir, "gpt2", { step: 10, layer: 0, head: 0, example: 0, query: 6 });
  const terms = frame.getByTestId("teach-terms");
  await frame.locator("[data-testid=teach-keys] tr[data-key='1']").hover();
  await expect(terms.locator("caption")).toContainText("Key 1");
  await expect(terms.locator("caption")).toContainText("quick");
  const largest = [...wanted.terms].sort((a, b) => Math.abs(b ?? 0) - Math.abs(a ?? 0));
  const shown = (await terms.locator("td[data-fresh=true] > span").allTextContents()).map(numberOf);
  expectClose(shown, largest.slice(0, 8));
  await expect(terms.locator("tfoot td")).toHaveText(/\d/);
  expectClose([numberOf((await terms.locator("tfoot td").textContent()) ?? "")], [wanted.product[1] ?? null]);
  const keys = frame.getByTestId("teach-keys");
  await page.mouse.move(5, 300);
  await keys.focus();
  await keys.press("Home");
  await keys.press("ArrowDown");
  await keys.press("ArrowDown");
  await expect(terms.locator("caption")).toContainText("Key 2");
  await expect.poll(() => hash(page)).toContain("p.llmdebug.key=2");
  await frame.getByTestId("teach-query").selectOption({ label: "4 jumps" });
  await expect(frame.getByTestId("teach-row")).toHaveAttribute("data-query", "4");
  // Rows of the map are hovered in turn: the row explained is the one under the pointer.
  const map = frame.getByTestId("focus-map");
  await map.scrollIntoViewIfNeeded();
  const box = await map.boundingBox();
  if (box === null) throw new Error("the map has no box");
  const seen = new Set<string | null>();
  for (let part = 0.35; part < 0.95; part += 0.08) {
    await page.mouse.move(box.x + box.width * 0.4, box.y + box.height * part);
    await page.waitForTimeout(150);
    seen.add(await frame.getByTestId("teach-row").getAttribute("data-query"));
  }
  expect(seen.size).toBeGreaterThan(3);
  await page.mouse.move(5, 300);
  await expect(frame.getByTestId("teach-row")).toHaveAttribute("data-query", "4");
  await page.keyboard.press("Escape"); // closes the panel, nothing else
  await expect(frame.getByTestId("teaching")).toHaveCount(0);
  await page.keyboard.press("q");
  await expect(frame.getByTestId("teach-row")).toHaveAttribute("data-query", "4");
});

test("a link reopens the step, the run and the query; two runs can be told apart", async ({ open, page }) => {
  const frame = await open("taught", at("&p.llmdebug.runs=gpt2,llama&p.llmdebug.layer=1&p.llmdebug.head=1"));
  await frame.getByTestId("teach").click();
  await frame.getByTestId("teach-step-softmax").click();
  await frame.getByTestId("teach-run").selectOption({ label: "llama" });
  await frame.getByTestId("teach-query").selectOption({ label: "3 fox" });
  await expect(frame.getByTestId("teach-row")).toHaveAttribute("data-query", "3");
  await expect.poll(() => hash(page)).toContain("p.llmdebug.teaching=softmax@1");
  const before = await column(frame, "weight");
  await page.reload();
  await expect(frame.getByTestId("teach-row")).toHaveAttribute("data-query", "3", { timeout: 30_000 });
  await expect(frame.getByTestId("teach-progress")).toHaveText("step 4 of 5");
  await expect(frame.getByTestId("teach-run")).toHaveValue("1");
  expect(await column(frame, "weight")).toEqual(before);
  await frame.getByTestId("teach-run").selectOption({ label: "gpt2" });
  await expect.poll(() => column(frame, "weight")).not.toEqual(before);
});

test("of 2,048 keys only those in sight are in the page, and each can be reached", async ({ open, serve }) => {
  const frame = await open("taught", at("&p.llmdebug.runs=long&p.llmdebug.teaching=softmax&p.llmdebug.layer=0&p.llmdebug.head=1"));
  await expect(frame.getByTestId("teach-row")).toHaveAttribute("data-query", "1984");
  await expect(frame.getByTestId("teach-query").locator("option")).toHaveCount(16);
  const keys = frame.getByTestId("teach-keys");
  const rows = keys.locator("tbody tr[data-key]");
  expect(await rows.count()).toBeLessThan(60);
  await keys.focus();
  await keys.press("End");
  const last = keys.locator("tr[data-key='2047']");
  await expect(last).toBeInViewport();
  await expect(last).toContainText("masked");
  expect(await rows.count()).toBeLessThan(60);
  for (let i = 0; i < 63; i += 1) await keys.press("ArrowUp");
  const own = keys.locator("tr[data-key='1984']");
  await expect(own).toBeInViewport();
  await expect(own).toHaveAttribute("data-chosen", "true");
  const wanted = read((await serve("taught")).logdir, "long", { step: 10, layer: 0, head: 1, example: 0, query: 15 });
  expectClose([numberOf((await own.locator("td[data-column=weight] > span").textContent()) ?? "")], [wanted.weight[1984] ?? null]);
  await expect(frame.getByTestId("teach-verdict")).toHaveAttribute("data-agrees", "true");
});

test("a row of padding, a record without vectors and one without room say what they are", async ({ open }) => {
  const padded = await open("taught", at("&p.llmdebug.runs=gpt2&p.llmdebug.example=1&p.llmdebug.query=1&p.llmdebug.teaching=softmax"));
  await expect(padded.getByTestId("teaching")).toContainText("Every key is hidden from this query");
  await expect(padded.getByTestId("teach-verdict")).toContainText("differs from zeros by up to");
  await expect(padded.getByTestId("teach-sinks")).toBeVisible();
  expect(new Set(await column(padded, "weight"))).toEqual(new Set([0]));
  const without = await open("taught", at("&p.llmdebug.runs=without&p.llmdebug.teaching=product"));
  await expect(without.getByTestId("teach-how").locator("code")).toHaveText('llmdebug.log_probe("decoder", model, inputs, vectors=True, step=step)');
  const full = await open("taught", at("&p.llmdebug.runs=no-room&p.llmdebug.teaching=product"));
  await expect(full.getByTestId("teach-left-out")).toContainText("layers are left out");
  await expect(full.getByTestId("reduction").first()).toContainText("vectors");
});

test("everything by keyboard, in both languages, and axe-core finds nothing", async ({ open, page }) => {
  const frame = await open("taught", at("&p.llmdebug.runs=gpt2"));
  await expect(frame.getByTestId("caption").first()).toBeVisible();
  await page.keyboard.press("q");
  for (const [key, k] of [[".", 2], [".", 3], [",", 2]] as const) {
    await page.keyboard.press(key);
    await expect(frame.getByTestId("teach-progress")).toHaveText(`step ${k} of 5`);
  }
  await frame.getByTestId("teach-step-scale").focus();
  await page.keyboard.press("ArrowRight");
  await expect(frame.getByTestId("teach-step-mask")).toBeFocused();
  await expect(frame.getByTestId("teach-step-mask")).toHaveAttribute("aria-current", "step");
  for (const step of ["softmax", "output"]) {
    await frame.getByTestId(`teach-step-${step}`).click();
    await expectAccessible(page, step);
  }
  await frame.getByRole("button", { name: "中文" }).click();
  await expect(frame.getByTestId("teach-progress")).toHaveText("第 5 步，共 5 步");
  await expect(frame.getByTestId("teach-verdict")).toContainText("不超过存储的舍入误差");
});
