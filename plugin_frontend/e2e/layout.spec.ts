// Every state of the page, at both sizes, light and dark: nothing cut or covered, and nothing for axe to report.
import type { Locator, Page } from "@playwright/test";
import { expectAccessible } from "./axe";
import { expectLaidOut } from "./layout";
import { expect, pluginFrame, test, type View } from "./tensorboard";

interface State {
  readonly name: string;
  readonly kind: "ordinary" | "sinks" | "taught" | "matched" | "real" | "pooled" | "rows" | "heads";
  readonly hash: string;
  /** What a reader does there. */
  readonly reach?: (frame: View, page: Page) => Promise<void>;
  /** What is there once the state is reached. */
  readonly shown: (frame: View) => Locator;
}

const exact = (within: Locator): Locator => within.locator("[data-testid=focus-map][data-stale=false]");
const press = (key: string) => (frame: View): Promise<void> => frame.locator("body").press(key);
const BOTH = "&p.llmdebug.runs=all-weights,upper-layers";
const DECODER = "&p.llmdebug.runs=decoder&p.llmdebug.layer=0&p.llmdebug.head=1";

const tools: readonly State[] = (["scatter", "find", "alike", "changes", "matches"] as const).map((tool) => ({
  name: `heads, ${tool}`,
  kind: "matched",
  hash: `&p.llmdebug.view=heads&p.llmdebug.heads=tool%3D${tool}&p.llmdebug.layer=1&p.llmdebug.head=1`,
  shown: (frame) => frame.getByTestId(tool === "find" ? "finder" : tool),
}));

const lenses: readonly State[] = (["value", "mean", "rollout"] as const).map((lens) => ({
  name: `lens, ${lens}`,
  kind: "sinks",
  hash: `${DECODER}&p.llmdebug.lens=lens%3D${lens}%3Bmass%3D80&p.llmdebug.exposure=4&p.llmdebug.query=5&p.llmdebug.key=3`,
  shown: (frame) => exact(frame.getByTestId("lens-map")),
}));

const long: readonly State[] = (["pooled", "rows", "heads"] as const).map((kind) => ({
  name: `long contexts, ${kind}`,
  kind,
  hash: "",
  shown: (frame) => exact(frame.getByTestId("panel").first()),
}));

const STATES: readonly State[] = [
  { name: "attention", kind: "ordinary", hash: "", shown: (frame) => exact(frame.getByTestId("panel").first()) },
  {
    name: "four architectures",
    kind: "real",
    hash: "&p.llmdebug.runs=llama,mistral,jamba,bert",
    shown: (frame) => frame.locator("[data-testid=panel][data-run=jamba]").getByTestId("caption").and(frame.getByText("linear")),
  },
  ...long,
  {
    name: "difference",
    kind: "ordinary",
    hash: "&p.llmdebug.runs=all-weights&p.llmdebug.a=0:all-weights&p.llmdebug.b=90:all-weights&p.llmdebug.difference=1&p.llmdebug.query=5",
    shown: (frame) => exact(frame.locator("[data-side=difference]")),
  },
  {
    name: "difference of two runs, as tables",
    kind: "ordinary",
    hash: "&p.llmdebug.a=0:all-weights&p.llmdebug.b=90:padding-mistake&p.llmdebug.difference=1&p.llmdebug.table=1",
    shown: (frame) => frame.locator("[data-side=difference]"),
  },
  {
    name: "one head over time",
    kind: "ordinary",
    hash: `${BOTH},dropped&p.llmdebug.multiples=on&p.llmdebug.layer=1&p.llmdebug.head=2`,
    shown: (frame) => frame.getByTestId("multiples-cursor").and(frame.getByLabel(/entropy/)),
  },
  {
    name: "one head over time, difference, as a table",
    kind: "ordinary",
    hash: `${BOTH}&p.llmdebug.multiples=on&p.llmdebug.difference=1&p.llmdebug.table=1`,
    shown: (frame) => frame.getByTestId("multiples-table"),
  },
  ...lenses,
  {
    name: "teaching, first step",
    kind: "taught",
    hash: "&p.llmdebug.step=10&p.llmdebug.runs=gpt2&p.llmdebug.teaching=product&p.llmdebug.query=6",
    shown: (frame) => frame.getByTestId("teach-keys"),
  },
  {
    name: "teaching, last step, of two runs",
    kind: "taught",
    hash: "&p.llmdebug.step=10&p.llmdebug.runs=gpt2,llama&p.llmdebug.teaching=output&p.llmdebug.query=6",
    shown: (frame) => frame.getByTestId("teach-verdict"),
  },
  ...tools,
  { name: "attributions", kind: "ordinary", hash: "&p.llmdebug.view=attributions", shown: (frame) => frame.getByTestId("strip").first() },
  { name: "anomalies", kind: "ordinary", hash: "&p.llmdebug.view=anomalies", shown: (frame) => frame.getByTestId("anomaly") },
  { name: "export menu", kind: "ordinary", hash: "", reach: press("e"), shown: (frame) => frame.getByTestId("export-menu").getByRole("menuitem").first() },
  { name: "help", kind: "ordinary", hash: "", reach: press("?"), shown: (frame) => frame.getByTestId("help") },
  {
    name: "a view whose answer does not come",
    kind: "ordinary",
    hash: BOTH,
    reach: async (frame, page) => {
      await page.route("**/plugin/llmdebug/**", (route) => route.abort());
      for (let i = 0; i < 3; i += 1) await press("[")(frame);
    },
    shown: (frame) => frame.locator("[role=alert], [data-testid=failure], [data-testid=index-error]").first(),
  },
];

test.describe.configure({ timeout: 120_000 });

for (const { name, kind, hash, reach, shown } of STATES) {
  test(`${name}: laid out, and nothing for axe to report`, async ({ open, page }) => {
    const frame = await open(kind, hash);
    if (reach !== undefined) {
      // What the keys open is about the maps, once they are here.
      await expect(exact(frame.getByTestId("panel")).first()).toBeVisible();
      await reach(frame, page);
    }
    await expect(shown(frame)).toBeVisible({ timeout: 30_000 });
    await expectLaidOut(page, frame, (about) => expectAccessible(page, about));
    await expect(frame.getByTestId("scrubber")).toBeInViewport();
  });
}

test("a server that never answers: laid out, and nothing for axe to report", async ({ page, serve }) => {
  const { url } = await serve("ordinary");
  await page.route("**/data/plugin/llmdebug/*", (route) => (/\.(html|js|css)$/.test(new URL(route.request().url()).pathname) ? route.continue() : route.abort()));
  await page.goto(`${url}#llmdebug`);
  const frame = pluginFrame(page);
  await expect(frame.getByTestId("failure")).toBeVisible({ timeout: 30_000 });
  await expectLaidOut(page, frame, (about) => expectAccessible(page, about));
});

for (const scheme of ["light", "dark"] as const) {
  test(`an empty directory, ${scheme}: nothing for axe to report, and nothing runs out of the window`, async ({ page, serve }) => {
    await page.emulateMedia({ colorScheme: scheme });
    const { url } = await serve("empty");
    await page.goto(`${url}data/plugin_entry.html?name=llmdebug`);
    await expect(page.getByTestId("empty")).toBeVisible({ timeout: 30_000 });
    for (const size of [{ width: 1440, height: 900 }, { width: 1024, height: 768 }]) {
      await page.setViewportSize(size);
      await expect(page.locator("html")).toHaveAttribute("data-theme", scheme);
      expect(await page.locator("html").evaluate((html) => html.scrollWidth - html.clientWidth)).toBeLessThanOrEqual(0);
      await expectAccessible(page, `${size.width} x ${size.height}`);
    }
  });
}
