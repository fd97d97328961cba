// The second row of the Attention view: which head the lower half is about, and what can be done with it.
import type { ComponentChildren } from "preact";
import { useApp } from "../frame/context";
import { t } from "../text/table";

const TITLES = { preview: "previewTitle", locked: "lockedTitle", byDefault: "byDefaultTitle" } as const;

/** Which head is in focus, and why. */
function HeadTitle(): preact.JSX.Element | null {
  const { store } = useApp();
  const at = store.head.value;
  if (at === null) return null;
  const state = store.hoveredHead.value !== null ? "preview" : store.lockedHead.value !== null ? "locked" : "byDefault";
  return (
    <h2 class="head-title" title={t(TITLES[state])} data-testid="head-title">
      <b>{t("focus", { layer: at.layer, head: at.head })}</b> <span class="muted">{t(state)}</span>
    </h2>
  );
}

/**
 * Controls go in as children, one `<div class="group">` (or one button) per concern: groups move to the next line
 * whole, never in the middle, and the title keeps its place. Its width does not change with what is hovered.
 */
export function HeadBar({ children }: { readonly children?: ComponentChildren }): preact.JSX.Element {
  return (
    <div class="head-bar" role="group" aria-label={t("headBar")} data-testid="head-bar">
      <HeadTitle />
      <div class="head-controls">{children}</div>
    </div>
  );
}
