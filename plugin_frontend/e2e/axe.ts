// What axe-core has to say about the page.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./tensorboard";

/** Nothing to report, what is not ours left out: TensorBoard's application around its frame. */
export async function expectAccessible(page: Page, about: string): Promise<void> {
  const within = (await page.locator("iframe").count()) > 0 ? "iframe" : "html";
  const { violations } = await new AxeBuilder({ page }).include(within).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, html }) => `${target.join(" ")} ${html.slice(0, 120)}`).join(", ")}`);
  expect(found, about).toEqual([]);
}
