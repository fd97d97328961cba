// What is special about a model: heads that share keys, windows, layers without attention, maps that grow.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { rangesText } from "../base/ranges";
import { formatCount } from "../base/format";
import { groupRuns, groupSize, sharersOf } from "../data/groups";
import type { HeadRef, LayerWithoutMap, Overview, OverviewLayer } from "../data/types";
import { useApp } from "../frame/context";
import type { Extent } from "../render/grid_layout";
import { elideMiddle, shownText } from "../text/format";
import { t } from "../text/table";
import { useAlignment } from "./use_alignment";

/** "linear layer, no map" */
export function withoutMapText({ linear }: LayerWithoutMap): string {
  return t(linear ? "linearLayer" : "otherLayer");
}

export function withoutMapTitle({ label, mixer }: LayerWithoutMap): string {
  const path = elideMiddle(shownText(label), 80);
  return mixer === "" ? path : t("mixerTitle", { label: path, mixer: elideMiddle(shownText(mixer), 60) });
}

/** What the caption of a panel says of the whole record. */
export function modelCaption({ withoutMap, continued }: Overview): string[] {
  const numbers = (linear: boolean): string => rangesText(withoutMap.filter((one) => one.linear === linear).map(({ layer }) => layer));
  const [linear, other] = [numbers(true), numbers(false)];
  return [
    ...(continued > 0 ? [t("captionGrown", { n: formatCount(continued + 1) })] : []),
    ...(linear === "" ? [] : [t("captionLinear", { layers: linear })]),
    ...(other === "" ? [] : [t("captionOther", { layers: other })]),
  ];
}

function windowText(layer: OverviewLayer, causal: boolean | null): string {
  const n = formatCount(layer.window);
  if (layer.window >= layer.keys) return t("windowLonger", { n });
  return t(causal === true ? "windowOf" : "windowBothWays", { n });
}

/** "heads that share keys and values: 0–3; 4–7", or "": the brackets in words. */
export function groupsText(overview: Overview): string {
  const layer = overview.layers.find((one) => groupSize(one) > 1);
  if (layer === undefined) return "";
  const groups = groupRuns(layer).map(([from, to]) => rangesText(layer.heads.slice(from, to + 1)));
  return t("sharedGroups", { groups: groups.join("; ") });
}

/** What is said of one head, in its layer. */
export function headNotes(overview: Overview, layer: OverviewLayer, { head }: HeadRef): string[] {
  const others = sharersOf(layer, head).filter((other) => other !== head);
  const [queries, keys] = [formatCount(layer.queries), formatCount(layer.keys)];
  const cross = layer.queries !== layer.keys && overview.causal !== true;
  return [
    ...(others.length === 0 ? [] : [t(others.length === 1 ? "sharesKeysOne" : "sharesKeys", { heads: rangesText(others) })]),
    ...(layer.window > 0 ? [windowText(layer, overview.causal)] : []),
    ...(cross ? [t("crossAttention", { queries, keys })] : []),
  ];
}

interface Props {
  readonly overview: Overview;
  readonly layer: OverviewLayer;
  readonly at: HeadRef;
}

/** Over the map of a head: whose keys it shares, how far it sees; or the room that others beside it take for that. */
export function HeadNotes({ overview, layer, at }: Props): preact.JSX.Element {
  const text = headNotes(overview, layer, at).join(" · ");
  const { store } = useApp();
  const [own, setOwn] = useState(0);
  const line = useRef<HTMLParagraphElement>(null);
  const tallest = useAlignment(store.aligned.notes, own);
  useLayoutEffect(() => {
    if (line.current === null) return;
    const observer = new ResizeObserver(([seen]) => setOwn(seen?.contentRect.height ?? 0));
    observer.observe(line.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="head-notes" style={{ minHeight: `${tallest}px` }}>
      <p ref={line} class="caption muted" {...(text === "" ? {} : { title: text, "data-testid": "head-notes" })}>
        {text}
      </p>
    </div>
  );
}

function larger(a: Extent | undefined, b: Extent): Extent {
  return a !== undefined && a.queries >= b.queries && a.keys >= b.keys
    ? a
    : { queries: Math.max(a?.queries ?? 0, b.queries), keys: Math.max(a?.keys ?? 0, b.keys) };
}

/** The largest that a growing map was seen to be, so that it keeps its place; null for any other. */
export function useExtent(overview: Overview | undefined): Extent | null {
  const seen = useRef(new Map<string, Extent>());
  const layer = overview?.layers.find(({ thumbs }) => thumbs !== null);
  if (overview === undefined || layer === undefined) return null;
  const { series } = overview.ref;
  const known = seen.current.get(series);
  if (overview.continued > 0 || known !== undefined) {
    seen.current.set(series, larger(known, { queries: layer.rows.length > 0 ? layer.rows.length : layer.queries, keys: layer.keys }));
  }
  return seen.current.get(series) ?? null;
}
