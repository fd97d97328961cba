// The text of an example with lines for one token: where it looks, or who looks at it.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import { memo } from "preact/compat";
import { formatPercent } from "../base/format";
import { elide, tokenGlyphs } from "../base/tokens";
import type { Overview, TokenList } from "../data/types";
import { useApp } from "../frame/context";
import type { Weights } from "../state/facts";
import { topEdges, weightsOfToken, type Edges } from "../state/lines";
import { t } from "../text/table";
import { tokenName } from "./focus_host";

/** More tokens than this are shown as a window around the chosen one. */
const MOST_TOKENS = 1024;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Line {
  readonly path: string;
  readonly box: Place;
  readonly share: number;
}

function arc(from: Place, to: Place): string {
  const x1 = from.x + from.width / 2;
  const x2 = to.x + to.width / 2;
  const sameRow = Math.abs(from.y - to.y) < 2;
  if (sameRow) {
    const lift = Math.min(16, 6 + Math.abs(x2 - x1) / 16);
    return `M${x1} ${from.y}C${x1} ${from.y - lift} ${x2} ${to.y - lift} ${x2} ${to.y}`;
  }
  const down = to.y > from.y;
  const y1 = down ? from.y + from.height : from.y;
  const y2 = down ? to.y : to.y + to.height;
  const bend = (y2 - y1) / 2;
  return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
}

function placeOf(host: HTMLElement, which: "query" | "key", token: number): Place | undefined {
  const element = host.querySelector<HTMLElement>(`[data-side~="${which}"][data-token="${token}"]`);
  if (element === null) return undefined;
  return { x: element.offsetLeft, y: element.offsetTop, width: element.offsetWidth, height: element.offsetHeight };
}

interface TokensProps {
  readonly tokens: TokenList | null;
  readonly count: number;
  readonly start: number;
  readonly mask: Uint8Array | null;
  readonly side: string;
  readonly label: string;
}

/** The spans themselves: drawn once per text, whatever is hovered. */
const TokenSpans = memo(function TokenSpans({ tokens, count, start, mask, side, label }: TokensProps) {
  const end = Math.min(count, start + MOST_TOKENS);
  return (
    <p class="tokens" dir="auto" aria-label={label}>
      {start > 0 && "… "}
      {Array.from({ length: end - start }, (_, i) => {
        const place = start + i;
        const text = tokens?.text[place];
        const kind = mask?.[place] === 0 ? "padding" : tokens?.special[place] === 1 ? "special" : text === undefined ? "position" : undefined;
        return (
          <span
            key={place}
            class="token"
            dir="auto"
            data-side={side}
            data-token={place}
            data-kind={kind}
            title={kind === undefined || kind === "position" ? String(place) : `${place} · ${t(kind)} · ${tokenGlyphs(elide(text ?? "", 40))}`}
          >
            {kind === "padding"
              ? "·"
              : text === undefined
              ? place
              : elide(tokenGlyphs(text, tokens?.part[place] ?? 0, tokens?.parts[place] ?? 0), 40)}
          </span>
        );
      })}
      {end < count && " …"}
    </p>
  );
});

function useLines(
  host: HTMLElement | null,
  edges: Edges | undefined,
  at: number | null,
  fromSide: "query" | "key",
  width: number,
): readonly Line[] {
  const [lines, setLines] = useState<readonly Line[]>([]);
  useLayoutEffect(() => {
    const from = host === null || at === null ? undefined : placeOf(host, fromSide, at);
    if (host === null || edges === undefined || from === undefined) {
      setLines([]);
      return;
    }
    const other = fromSide === "query" ? "key" : "query";
    setLines(
      edges.edges.flatMap((edge): Line[] => {
        const to = placeOf(host, other, edge.token);
        if (to === undefined) return [];
        // A token that looks at itself is shaded; a line would have nowhere to go.
        const path = edge.token === at && to.x === from.x && to.y === from.y ? "" : arc(from, to);
        return [{ path, box: to, share: edge.weight / edges.peak }];
      }),
    );
  }, [host, edges, at, fromSide, width]);
  return lines;
}

interface Props {
  readonly run: string;
  readonly overview: Overview;
  readonly weights: Weights | undefined;
  readonly colour: string;
}

/** The width of the text, in which a change moves every token. */
function useWidth(host: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = host.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [host]);
  return width;
}

/** The token that an event is about. */
function tokenOf(event: Event): { query: number } | { key: number } | undefined {
  const element = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-token]") : null;
  if (element === null) return undefined;
  const place = Number(element.dataset["token"]);
  return element.dataset["side"] === "key" ? { key: place } : { query: place };
}

function Lines({ lines }: { readonly lines: readonly Line[] }): preact.JSX.Element {
  return (
    <svg class="running-lines" aria-hidden="true">
      {lines.map((line, i) => (
        <g key={i} style={{ opacity: 0.2 + 0.8 * line.share }}>
          <rect {...line.box} rx={2} style={{ opacity: 0.12 + 0.4 * line.share }} />
          <path d={line.path} style={{ "stroke-width": 0.75 + 2.5 * line.share }} />
        </g>
      ))}
    </svg>
  );
}

export function RunningText({ run, overview, weights, colour }: Props): preact.JSX.Element {
  const { store } = useApp();
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const { query, key } = store.token.value;
  const at = query ?? key;
  const fromSide = query !== null ? "query" : "key";
  const edges = useMemo(() => {
    const row = weights === undefined ? undefined : weightsOfToken(weights, query, query === null ? key : null);
    return row === undefined ? undefined : topEdges(row);
  }, [weights, query, query === null ? key : null]);
  const lines = useLines(host.current, edges, at, fromSide, width);

  const layer = overview.layers[0];
  const queries = overview.queryTokens?.text.length ?? weights?.queries ?? layer?.queries ?? 0;
  const keys = overview.keyTokens?.text.length ?? weights?.keys ?? layer?.keys ?? 0;
  const one = sameTokens(overview.queryTokens, overview.keyTokens) && queries === keys;
  const startOf = (count: number): number =>
    count <= MOST_TOKENS ? 0 : Math.min(count - MOST_TOKENS, Math.max(0, (at ?? 0) - MOST_TOKENS / 2));

  const hover = (event: Event): void => {
    const token = tokenOf(event);
    if (token !== undefined) store.setHover(token);
  };
  const lock = (event: Event): void => {
    const token = tokenOf(event);
    if (token !== undefined) store.lockToken("query" in token ? token.query : null, "key" in token ? token.key : null);
  };
  return (
    <div class="running" data-testid="running-text" style={{ "--run": colour }}>
      <p class="running-head muted" aria-live="off">
        {at === null || edges === undefined
          ? t(overview.queryTokens === null && overview.keyTokens === null ? "noTokens" : "hoverToken")
          : `${t(fromSide === "query" ? "looksAt" : "lookedAtBy", {
              token: tokenName(fromSide === "query" ? overview.queryTokens : overview.keyTokens, at),
            })} · ${t("linesDrawn", { mass: formatPercent(edges.mass) })}`}
      </p>
      <div
        ref={host}
        class="running-body"
        onMouseOver={hover}
        onMouseLeave={() => store.setHover({})}
        onClick={lock}
      >
        <Lines lines={lines} />
        {!one && <span class="muted">{t("queryText")}</span>}
        <TokenSpans tokens={overview.queryTokens} count={queries} start={startOf(queries)} mask={overview.queryMask}
          side={one ? "query key" : "query"} label={t("textLabel", { run })} />
        {!one && <span class="muted">{t("keyText")}</span>}
        {!one && (
          <TokenSpans tokens={overview.keyTokens} count={keys} start={startOf(keys)} mask={overview.keyMask}
            side="key" label={t("keyText")} />
        )}
        <ChosenMark host={host.current} side={fromSide} at={at} width={width} />
      </div>
    </div>
  );
}

function ChosenMark(props: {
  readonly host: HTMLElement | null;
  readonly side: "query" | "key";
  readonly at: number | null;
  readonly width: number;
}): preact.JSX.Element | null {
  const { host, side, at, width } = props;
  const [place, setPlace] = useState<Place | undefined>(undefined);
  useLayoutEffect(() => {
    setPlace(host === null || at === null ? undefined : placeOf(host, side, at));
  }, [host, side, at, width]);
  if (place === undefined) return null;
  return (
    <span class="chosen" aria-hidden="true"
      style={{ left: `${place.x}px`, top: `${place.y}px`, width: `${place.width}px`, height: `${place.height}px` }} />
  );
}

function sameTokens(a: TokenList | null, b: TokenList | null): boolean {
  if (a === b || a === null || b === null) return true;
  return a.text.length === b.text.length && a.text.every((text, i) => text === b.text[i]);
}
