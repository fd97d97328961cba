import { readFileSync } from "node:fs";
import { test, expect } from "./tensorboard";
const wanted = JSON.parse(process.env["LOOK"] ?? "[]") as [string, string, string, string][];
for (const [name, kind, hash, ready] of wanted) {
  test(`look ${name}`, async ({ open, page }) => {
    const frame = await open(kind as "ordinary", hash);
    await expect(frame.getByTestId(ready).first()).toBeVisible();
    if (name.startsWith("dark")) await page.evaluate(() => document.body.classList.add("dark-mode"));
    await page.waitForTimeout(1500);
    await frame.getByTestId("export").click();
    const items = await frame.getByTestId("export-menu").locator("[role=menuitem]").evaluateAll((all) => all.map((one) => one.getAttribute("aria-label")));
    console.log(name, JSON.stringify(items, null, 0));
    await page.screenshot({ path: `/tmp/w/look/${name}_page.png` });
    for (const [i, label] of items.entries()) {
      if (!/PNG|SVG|CSV/.test(label ?? "") || /Head in focus.*NPY/.test(label ?? "")) continue;
      if (i > 0) { if (!(await frame.getByTestId("export-menu").isVisible())) await frame.getByTestId("export").click(); }
      const [download] = await Promise.all([page.waitForEvent("download"), frame.getByTestId("export-menu").locator("[role=menuitem]").nth(i).click()]);
      const ext = download.suggestedFilename().split(".").pop();
      const path = `/tmp/w/look/${name}_${i}.${ext}`;
      await download.saveAs(path);
      console.log(path, download.suggestedFilename());
      if (ext === "svg") {
        const other = await page.context().newPage();
        await other.setContent(`<body style="margin:0">${readFileSync(path, "utf8").replace(/<\?xml.*?\?>/, "")}</body>`);
        await other.locator("svg").screenshot({ path: `/tmp/w/look/${name}_${i}_svg.png` });
        await other.close();
      }
    }
  });
}
