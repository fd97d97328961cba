// What axe-core has to say about the page in its frame.
import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./tensorboard";

/** Nothing to report; `within` leaves out what is not ours: the host's page around the frame. */
export async function expectAccessible(page: Page, about: string, within = "iframe"): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).include(within).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, html }) => `${target.join(" ")} ${html.slice(0, 120)}`).join(", ")}`);
  expect(found, about).toEqual([]);
}
