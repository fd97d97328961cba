// The head in focus, large: its part in sight, moved by keys, and where that part lies in the whole.
import { createHash } from "node:crypto";
import type { Locator, Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

test.use({ framed: false });

const LONG = "&p.llmdebug.runs=long&p.llmdebug.layer=0&p.llmdebug.head=1";

interface Part {
  readonly key: number;
  readonly query: number;
  readonly keys: number;
  readonly queries: number;
}

/** What the address says is in sight; null = the whole map. */
async function part(page: Page): Promise<Part | null> {
  await page.waitForTimeout(500); // longer than the page waits before it writes the hash
  const text = /p\.llmdebug\.part=([\d.,]+)/.exec(decodeURIComponent(new URL(page.url()).hash))?.[1];
  if (text === undefined) return null;
  const [key = NaN, query = NaN, keys = NaN, queries = NaN] = text.split(",").map(Number);
  return { key, query, keys, queries };
}

async function drawn(frame: View): Promise<Locator> {
  await expect(frame.getByTestId("focus-map").first()).toHaveAttribute("data-stale", "false");
  return frame.locator(".focus-canvas").first();
}

/** The frame in the small map in the upper right corner of the weights, in pixels of that corner; null = there is none. */
function frameInCorner(host: Element): readonly [left: number, top: number, right: number, bottom: number] | null {
  const canvas = host.querySelector("canvas");
  const context = canvas?.getContext("2d") ?? null;
  if (canvas === null || context === null) return null;
  const edge = Math.round(96 * devicePixelRatio);
  // Beneath the axis.
  const { data } = context.getImageData(canvas.width - edge, 0, edge, 4 * edge);
  const places: (readonly [number, number])[] = [];
  for (let i = 0; i < data.length; i += 4) {
    // The colour of what is locked, in the light theme: #d9480f.
    const off = Math.abs((data[i] ?? 0) - 0xd9) + Math.abs((data[i + 1] ?? 0) - 0x48) + Math.abs((data[i + 2] ?? 0) - 0x0f);
    if (off < 24) places.push([(i / 4) % edge, Math.floor(i / 4 / edge)]);
  }
  if (places.length === 0) return null;
  const [across, down] = [places.map(([x]) => x), places.map(([, y]) => y)];
  return [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
}

test("keys zoom the large map and move it, in the address but not in the history, and the help lists them", async ({ open, page }) => {
  const frame = await open("edges", LONG);
  await drawn(frame);
  const entries = await page.evaluate(() => history.length);
  await page.keyboard.press("Shift+ArrowRight");
  expect(await part(page)).toBeNull();
  for (let i = 0; i < 4; i += 1) await page.keyboard.press("+");
  const zoomed = await part(page);
  if (zoomed === null) throw new Error("nothing was zoomed");
  // The plot need not be square: along one of its sides it shows more.
  expect(Math.min(zoomed.keys, zoomed.queries)).toBeCloseTo(2048 / 1.5 ** 4, 0);
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowDown");
  const moved = await part(page);
  expect(moved?.key).toBeCloseTo(zoomed.key + zoomed.keys / 4, 1);
  expect(moved?.query).toBeCloseTo(zoomed.query + zoomed.queries / 4, 1);
  expect(moved?.keys).toBeCloseTo(zoomed.keys, 1);
  for (let i = 0; i < 12; i += 1) await page.keyboard.press("Shift+ArrowLeft");
  expect((await part(page))?.key).toBe(0);
  for (let i = 0; i < 12; i += 1) await page.keyboard.press("Shift+ArrowUp");
  expect((await part(page))?.query).toBe(0);
  // The head is the one that it was: these are not the arrows that lead to others.
  await expect(frame.getByTestId("head-title")).toContainText("Layer 0, head 1");
  await page.keyboard.press("-");
  const smaller = await part(page);
  expect(Math.min(smaller?.keys ?? 0, smaller?.queries ?? 0)).toBeCloseTo(2048 / 1.5 ** 3, 0);
  await page.keyboard.press("0");
  expect(await part(page)).toBeNull();
  await expect(frame.getByRole("button", { name: "Fit" })).toHaveCount(0);
  expect(await page.evaluate(() => history.length)).toBe(entries);
  await page.keyboard.press("?");
  await expect(frame.getByTestId("help").locator("div").filter({ hasText: "What lies to the right" })).toHaveText(/Shift\s*→/);
});

test("a large map that was moved is drawn to the pixel once it rests", async ({ open, page }) => {
  const frame = await open("edges", LONG);
  const canvas = frame.locator(".focus-canvas canvas").first();
  const picture = async (): Promise<string> => createHash("sha256").update(await canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL())).digest("hex");
  const weights = async (): Promise<string> => {
    await drawn(frame);
    return picture();
  };
  await drawn(frame);
  await page.keyboard.press("+");
  await expect.poll(() => part(page)).not.toBeNull();
  await page.waitForTimeout(1000); // longer than it takes to come to rest
  const rested = await weights();
  // Dark and light again, it is drawn as it is whenever it has not just moved.
  const painted = (dark: boolean): Promise<void> => page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
  await painted(true);
  await expect.poll(weights).not.toBe(rested);
  await painted(false);
  await expect.poll(weights).toBe(rested);
  // What takes its place is worked out beside it; until then it stays, and says so.
  await page.keyboard.press("ArrowLeft");
  await expect(frame.getByTestId("head-title")).toContainText("Layer 0, head 0");
  await expect.poll(weights).not.toBe(rested);
  const other = await weights();
  // A page that is never idle.
  await page.evaluate(() => {
    const idle = window.requestIdleCallback.bind(window);
    const waiting: IdleRequestCallback[] = [];
    window.requestIdleCallback = (run) => waiting.push(run);
    Object.assign(window, {
      rest: () => {
        window.requestIdleCallback = idle;
        waiting.forEach((run) => idle(run));
      },
    });
  });
  await page.keyboard.press("ArrowRight");
  await expect(frame.getByTestId("head-title")).toContainText("Layer 0, head 1");
  await page.waitForTimeout(500);
  await expect(frame.getByTestId("focus-map")).toHaveAttribute("data-stale", "true");
  expect(await picture()).toBe(other);
  await page.evaluate(() => (window as unknown as { rest: () => void }).rest());
  await expect.poll(weights).toBe(rested);
});

test("while a part is in sight a small map in the corner shows where it lies", async ({ open, page }) => {
  const frame = await open("edges", LONG);
  const map = await drawn(frame);
  const corner = (): ReturnType<typeof frameInCorner> | Promise<ReturnType<typeof frameInCorner>> => map.evaluate(frameInCorner);
  expect(await corner()).toBeNull();
  for (let i = 0; i < 3; i += 1) await page.keyboard.press("+");
  await expect.poll(corner).not.toBeNull();
  const [left, top, right, bottom] = (await corner()) ?? [0, 0, 0, 0];
  // As large a share of the small map's 84 pixels as of the whole: of 2,048 tokens a 1.5³th.
  expect(Math.abs(Math.min(right - left, bottom - top) - 84 / 1.5 ** 3)).toBeLessThan(4);
  expect(Math.max(right - left, bottom - top)).toBeLessThan(60);
  await page.keyboard.press("Shift+ArrowDown");
  await expect.poll(async () => (await corner())?.[1] ?? 0).toBeGreaterThan(top + 3);
  expect((await corner())?.[0]).toBe(left);
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(async () => (await corner())?.[0] ?? left).toBeLessThan(left - 3);
  await page.keyboard.press("0");
  await expect.poll(corner).toBeNull();
});

test("maps side by side show the same part, whichever is moved", async ({ open, page }) => {
  const frame = await open("ordinary", "&p.llmdebug.runs=all-weights&p.llmdebug.a=0:all-weights&p.llmdebug.b=90:all-weights&p.llmdebug.difference=1");
  const maps = frame.locator("[data-testid=focus-map][data-stale=false]");
  await expect(maps).toHaveCount(3);
  const box = await maps.nth(1).locator(".focus-canvas").boundingBox();
  if (box === null) throw new Error("the map has no box");
  const whole = await maps.evaluateAll((all) => all.map((one) => one.querySelector("canvas")?.toDataURL() ?? ""));
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.6);
  for (let turn = 0; turn < 8; turn += 1) await page.mouse.wheel(0, -120);
  await expect(frame.getByRole("button", { name: "Fit" })).toHaveCount(3);
  await expect
    .poll(() => maps.evaluateAll((all, before) => all.filter((one, i) => one.querySelector("canvas")?.toDataURL() !== before[i]).length, whole))
    .toBe(3);
  await frame.getByRole("button", { name: "Fit" }).last().click();
  await expect(frame.getByRole("button", { name: "Fit" })).toHaveCount(0);
});

/** How much of the map has the grey of hatching, in the light theme: #8b929c. */
function hatchedShare(host: Element): number {
  const canvas = host.querySelector("canvas");
  const context = canvas?.getContext("2d") ?? null;
  if (canvas === null || context === null) return NaN;
  // The middle: neither axes nor titles.
  const [width, height] = [Math.floor(canvas.width / 3), Math.floor(canvas.height / 3)];
  const { data } = context.getImageData(width, height, width, height);
  let grey = 0;
  for (let i = 0; i < data.length; i += 4) {
    const off = Math.abs((data[i] ?? 0) - 0x8b) + Math.abs((data[i + 1] ?? 0) - 0x92) + Math.abs((data[i + 2] ?? 0) - 0x9c);
    if (off < 60) grey += 1;
  }
  return (4 * grey) / data.length;
}

test("a difference that storing alone could have made is hatched, and says so", async ({ open, page }) => {
  const frame = await open("steps", "&p.llmdebug.runs=many&p.llmdebug.run=many&p.llmdebug.a=0:many&p.llmdebug.b=1:many&p.llmdebug.difference=1");
  const panel = frame.locator("[data-testid=panel][data-side=difference]");
  await expect(panel.getByTestId("focus-map")).toHaveAttribute("data-stale", "false");
  await expect(frame.getByTestId("below-floor")).toHaveText("not distinguishable");
  expect(await panel.locator(".focus-canvas").evaluate(hatchedShare)).toBeGreaterThan(0.1);
  // One side of it has nothing to be told apart from.
  await page.keyboard.press("d");
  await expect(panel).toHaveCount(0);
  const map = await drawn(frame);
  await expect(frame.getByTestId("below-floor")).toHaveCount(0);
  expect(await map.evaluate(hatchedShare)).toBeLessThan(0.05);
});
