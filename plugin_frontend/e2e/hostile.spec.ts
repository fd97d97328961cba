// A hundred hostile strings as tokens, names and runs: no script runs, the layout holds.
import type { Locator, Page } from "@playwright/test";
import { expect, test, type View } from "./tensorboard";

const VIEWS = ["attention", "attributions", "anomalies"] as const;
const RUNS = 100;
// `make soak` goes through all of them.
const soaking = !["", "0", undefined].includes(process.env["LLMDEBUG_SOAK"]);
const chosen = Array.from({ length: RUNS }, (_, run) => run).filter((run) => soaking || run % 25 === 0);

interface Watch {
  readonly requests: string[];
  readonly refused: string[];
}

/** Notes what a script or a style of the logs would have the browser do. */
function watch(page: Page, server: string): Watch {
  const seen: Watch = { requests: [], refused: [] };
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(server) && !/^(data|blob):/.test(url)) seen.requests.push(url);
  });
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) seen.refused.push(message.text());
  });
  return seen;
}

/** What only markup from the logs could have made. */
async function injected(frame: View): Promise<string[]> {
  return frame.locator("html").evaluate((html) => {
    const made = html.querySelectorAll(
      "img, iframe, object, embed, video, form, base[href*=hostile], meta[http-equiv=refresh], math, marquee, textarea",
    );
    const found = Array.from(made, (element) => `${element.tagName} ${element.id} ${element.className}`);
    for (const element of html.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        const leads = ["href", "src", "action", "formaction", "data", "srcdoc"].includes(name);
        if (name.startsWith("on") || (leads && /javascript:|hostile/i.test(value))) found.push(`${element.tagName} ${name}`);
      }
    }
    if ("hostile" in window || "hostile" in (window.top ?? {})) found.push("a script ran");
    if (Object.keys(Object.prototype).length > 0) found.push("Object.prototype was changed");
    return found;
  });
}

/** The tallest that the fixed parts of the page may be, so that the rest has its room. */
async function expectLayout(frame: View): Promise<void> {
  const html = frame.locator("html");
  const overflow = await html.evaluate((root) => [
    root.scrollWidth - root.clientWidth,
    document.body.scrollWidth - root.clientWidth,
  ]);
  expect(Math.max(...overflow)).toBeLessThanOrEqual(0);
  const window = await html.evaluate((root) => ({ width: root.clientWidth, height: root.clientHeight }));
  const parts: [Locator, number, number][] = [
    [frame.getByTestId("rail"), 400, window.height],
    [frame.getByRole("tablist"), window.width, 80],
    [frame.getByTestId("language"), 200, 80],
    [frame.getByTestId("view"), window.width, Infinity],
  ];
  for (const [part, widest, tallest] of parts) {
    await expect(part).toBeInViewport();
    const box = await part.boundingBox();
    if (box === null) throw new Error("a part of the page has no box");
    expect(box.width).toBeLessThanOrEqual(widest);
    expect(box.height).toBeLessThanOrEqual(tallest);
  }
  for (const view of VIEWS) await expect(frame.getByTestId(`tab-${view}`)).toBeInViewport({ ratio: 1 });
}

async function expectHarmless(page: Page, frame: View, seen: Watch): Promise<void> {
  expect(await injected(frame)).toEqual([]);
  expect(await page.evaluate(() => "hostile" in window)).toBe(false);
  expect(seen).toEqual({ requests: [], refused: [] });
  await expectLayout(frame);
}

for (const scheme of ["light", "dark"] as const) {
  test(`hostile strings are only text, ${scheme}`, async ({ open, serve, page }, info) => {
    info.setTimeout(info.timeout + chosen.length * 20_000);
    const seen = watch(page, (await serve("strings")).url);
    const frame = await open("strings");
    await page.evaluate((dark) => document.body.classList.toggle("dark-mode", dark), scheme === "dark");
    await expect(frame.getByTestId("run")).toHaveCount(RUNS);
    for (const run of chosen) {
      await frame.getByTestId("run").nth(run).locator(".only").click();
      for (const view of VIEWS) {
        await frame.getByTestId(`tab-${view}`).click();
        await expect(frame.getByTestId("view")).toHaveAttribute("data-view", view);
        const content = { attention: "focus-map", attributions: "strip", anomalies: "anomaly" }[view];
        await expect(frame.getByTestId(content).first()).toBeVisible();
        await expectHarmless(page, frame, seen);
        if (run % 20 === 0) await page.screenshot({ path: info.outputPath(`${scheme}-${run}-${view}.png`) });
      }
    }
  });
}

test("a hostile run beside others in every place where several stand", async ({ open, serve, page }) => {
  const seen = watch(page, (await serve("strings")).url);
  const frame = await open("strings");
  const boxes = frame.getByTestId("run").getByRole("checkbox");
  for (const run of [3, 40, 57, 63, 79]) await boxes.nth(run).check();
  for (const view of VIEWS) {
    await frame.getByTestId(`tab-${view}`).click();
    await expect(frame.getByTestId("view")).toHaveAttribute("data-view", view);
    await page.waitForTimeout(500);
    await expectHarmless(page, frame, seen);
  }
  await frame.getByTestId("language").click();
  await expectHarmless(page, frame, seen);
});

test("hostile strings in a link are only text", async ({ open, serve, page }) => {
  const seen = watch(page, (await serve("strings")).url);
  for (const text of ["<img src=x onerror=alert(1)>", "__proto__", "constructor", "\u202e", "javascript:alert(1)"]) {
    const value = encodeURIComponent(text);
    const keys = ["runs", "run", "name", "attribution", "filter", "sessions", "a", "b", "view", "__proto__"];
    const frame = await open("strings", keys.map((key) => `&p.llmdebug.${key}=${value}`).join(""));
    await page.waitForTimeout(300);
    expect(await injected(frame)).toEqual([]);
  }
  expect(seen).toEqual({ requests: [], refused: [] });
});
