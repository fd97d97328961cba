// What every view must keep at every size: nothing cut, nothing on top of another, nothing outside.
import type { Page } from "@playwright/test";
import { expect, type View } from "./tensorboard";

export const SIZES = [
  { width: 1440, height: 900 },
  { width: 1024, height: 768 },
] as const;

/** Names, tokens, examples and addresses of any length, and what is said of them: their beginning is enough, and pointed at they tell the whole. */
const ELIDED = ".run-name, .rail bdi, .menu-row bdi, .token, .key-table th, .cell-readout, .running-reading";

/** Runs in the page: what is wrong with its layout, in words. */
function faults(root: HTMLElement, elided: string): string[] {
  const found: string[] = [];
  const nameOf = (element: Element): string =>
    `${element.tagName.toLowerCase()}.${element.getAttribute("class")?.replaceAll(" ", ".")} “${element.textContent.trim().slice(0, 40)}”`;
  const shown = (element: Element): boolean => {
    const box = element.getBoundingClientRect();
    // One pixel: for screen readers only.
    return box.width > 1 && box.height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide in a window of ${root.clientWidth}`);
  for (const element of root.querySelectorAll<HTMLElement>("body *")) {
    const style = getComputedStyle(element);
    const cut = style.overflowX === "hidden" && element.scrollWidth > element.clientWidth + 1 && shown(element);
    const ownText = Array.from(element.childNodes).some((node) => node.nodeType === 3 && (node.textContent ?? "").trim() !== "");
    if (!cut || !ownText) continue;
    if (style.textOverflow !== "ellipsis") found.push(`${nameOf(element)} is cut without an ellipsis`);
    else if (!element.matches(elided)) found.push(`${nameOf(element)} is elided, although it is no name and no token`);
    else if (element.closest("[title], [aria-label]") === null) found.push(`${nameOf(element)} is cut, and nothing tells the whole`);
  }
  const rows = new Set(Array.from(root.querySelectorAll(".head-controls > *"), (element) => Math.round(element.getBoundingClientRect().bottom)));
  if (rows.size > 1) found.push(`the bar of the head in focus takes ${rows.size} rows`);
  const controls = Array.from(root.querySelectorAll<HTMLElement>("button, select, input, a[href]")).filter(
    (element) => shown(element) && !element.classList.contains("grid-cursor"),
  );
  const scrolled = (element: Element): Element | null => {
    for (let at = element.parentElement; at !== null; at = at.parentElement) if (/auto|scroll/.test(getComputedStyle(at).overflow)) return at;
    return null;
  };
  controls.forEach((one, i) => {
    const box = one.getBoundingClientRect();
    const inScroll = scrolled(one) !== null;
    if (!inScroll && (box.left < -1 || box.right > innerWidth + 1)) found.push(`${nameOf(one)} is outside of the window`);
    for (const other of controls.slice(i + 1)) {
      if (one.contains(other) || other.contains(one) || scrolled(one) !== scrolled(other)) continue;
      const beside = other.getBoundingClientRect();
      const across = Math.min(box.right, beside.right) - Math.max(box.left, beside.left);
      const down = Math.min(box.bottom, beside.bottom) - Math.max(box.top, beside.top);
      if (across > 1 && down > 1) found.push(`${nameOf(one)} lies on ${nameOf(other)}`);
    }
  });
  return found;
}

/** Runs in the page: text in sight that something else lies on. */
function covered(root: HTMLElement): string[] {
  const nameOf = (element: Element): string => `${element.tagName.toLowerCase()}.${element.getAttribute("class")} “${element.textContent.trim().slice(0, 40)}”`;
  // What opens over the page, and heads of tables that stay while rows move under them, are meant to cover.
  const meant = (element: Element): boolean => {
    for (let at: Element | null = element; at !== null; at = at.parentElement) if (getComputedStyle(at).position === "sticky") return true;
    // What comes only when it is pointed at lies there unseen till then.
    return Number(getComputedStyle(element).opacity) === 0 || element.closest("dialog, [role=menu], [data-testid=toast]") !== null;
  };
  const clipped = (element: Element, x: number, y: number): boolean => {
    for (let at: Element | null = element; at !== null && at !== root; at = at.parentElement) {
      const box = at.getBoundingClientRect();
      const clips = getComputedStyle(at).overflow !== "visible";
      if (clips && (x < box.left || x > box.right || y < box.top || y > box.bottom)) return true;
    }
    return false;
  };
  return Array.from(root.querySelectorAll("body *")).flatMap((element) => {
    const text = Array.from(element.childNodes).find((node) => node.nodeType === 3 && (node.textContent ?? "").trim() !== "");
    // What is folded away (a closed <details>) keeps its boxes, but is not on the page.
    if (text === undefined || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return [];
    const range = document.createRange();
    range.selectNodeContents(text);
    const line = range.getClientRects()[0];
    if (line === undefined || line.width < 2 || line.height < 2) return [];
    const [x, y] = [line.left + line.width / 2, line.top + line.height / 2];
    const hit = document.elementFromPoint(x, y);
    if (hit === null || element.contains(hit) || hit.contains(element) || clipped(element, x, y) || meant(hit)) return [];
    return [`${nameOf(element)} is covered by ${nameOf(hit)}`];
  });
}

/** As whoever decides it: TensorBoard around the page, else the system. */
async function setTheme(page: Page, dark: boolean): Promise<void> {
  if ((await page.locator("iframe").count()) > 0) await page.evaluate((on) => document.body.classList.toggle("dark-mode", on), dark);
  else await page.emulateMedia({ colorScheme: dark ? "dark" : "light" });
}

/** At both sizes, light and dark; `also` looks once at each size, once light, once dark. */
export async function expectLaidOut(page: Page, frame: View, also?: (about: string) => Promise<void>): Promise<void> {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const dark of [false, true]) {
      const about = `${size.width} x ${size.height}, ${dark ? "dark" : "light"}`;
      await setTheme(page, dark);
      await expect(frame.locator("html")).toHaveAttribute("data-theme", dark ? "dark" : "light");
      // A frame or two for the canvases to follow.
      await page.waitForTimeout(250);
      expect(await frame.locator("html").evaluate(faults, ELIDED), about).toEqual([]);
      expect(await frame.locator("html").evaluate(covered), about).toEqual([]);
      if (dark === (size === SIZES[1])) await also?.(about);
    }
  }
  await setTheme(page, false);
}
