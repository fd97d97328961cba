// The text of an example with lines for one token: where it looks, or who looks at it.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RefObject } from "preact";
import { memo } from "preact/compat";
import { cellOf, spanOf, spanText, type TokenAxis, type TokenSpan } from "../base/axis";
import { formatCount, formatNumber, formatPercent } from "../base/format";
import { elide, tokenGlyphs } from "../base/tokens";
import type { Overview, TokenList } from "../data/types";
import { useApp } from "../frame/context";
import { samePositions } from "../data/sinks";
import { sameTokens, type Weights } from "../state/facts";
import { lineOfToken, topEdges, type DrawnEdges } from "../state/lines";
import { spanName, tokenName } from "./spans";
import { t } from "../text/table";
import { Lines, useLines, type TextSide } from "./running_lines";

/** More tokens than this are shown as a window around the chosen one, ... */
const MOST_TOKENS = 1024;
/** ... which moves once the pointer rests: a thousand spans are not made anew while it crosses a map. */
const REST_MS = 150;

/** A text of more tokens may have to be scrolled, by key too. */
const SHORT_TEXT = 32;

interface TokensProps {
  readonly tokens: TokenList | null;
  readonly count: number;
  readonly start: number;
  readonly mask: Uint8Array | null;
  readonly side: string;
  readonly label: string;
  /** The only positions that have a row in the map; null = all have. */
  readonly kept: readonly number[] | null;
  /** Positions that are no columns of the map, though they hold weight. */
  readonly aside: readonly number[] | undefined;
}

/** The spans themselves: drawn once per text, whatever is hovered. */
const TokenSpans = memo(function TokenSpans({ tokens, count, start, mask, side, label, kept, aside }: TokensProps) {
  const end = Math.min(count, start + MOST_TOKENS);
  const marked = useMemo(() => new Set(kept), [kept]);
  const gone = useMemo(() => new Set(aside), [aside]);
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
            data-kept={marked.has(place) ? true : undefined}
            data-aside={gone.has(place) ? true : undefined}
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

/** The first token of the window: as it was while the wanted one is inside. */
function windowStart(before: number, count: number, at: number | null): number {
  if (count <= MOST_TOKENS) return 0;
  if (at === null || (at >= before && at < before + MOST_TOKENS)) return Math.min(before, count - MOST_TOKENS);
  return Math.min(count - MOST_TOKENS, Math.max(0, at - MOST_TOKENS / 2));
}

function useWindow(count: number, at: number | null): number {
  const [start, setStart] = useState(() => windowStart(0, count, at));
  useEffect(() => {
    const wanted = windowStart(start, count, at);
    if (wanted === start) return;
    const timer = setTimeout(() => setStart(wanted), REST_MS);
    return () => clearTimeout(timer);
  }, [start, count, at]);
  return start;
}

/** The positions set aside, while the weights are on their way as before: no text is made anew for heads that pass. */
function useAside(weights: Weights | undefined): readonly number[] | undefined {
  const last = useRef<readonly number[] | undefined>(undefined);
  const now = weights === undefined ? last.current : weights.aside?.positions;
  if (now === undefined || last.current === undefined || !samePositions(now, last.current)) last.current = now;
  return last.current;
}

/** The token that an event is about. */
function tokenOf(event: Event): { query: number } | { key: number } | undefined {
  const element = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-token]") : null;
  if (element === null) return undefined;
  const place = Number(element.dataset["token"]);
  return element.dataset["side"] === "key" ? { key: place } : { query: place };
}

interface HeadProps {
  readonly overview: Overview;
  readonly weights: Weights | undefined;
  readonly edges: DrawnEdges | undefined;
  readonly at: number | null;
  readonly side: TextSide;
  /** Lines whose other end is in the text shown. */
  readonly visible: number;
}

function axisName(axis: TokenAxis, at: number, tokens: TokenList | null): string {
  const cell = cellOf(axis, at);
  return cell === null ? tokenName(tokens, at) : spanName(tokens, axis, cell);
}

/** How many cells the lines go to, and how much of the weight they stand for; of a row with sinks set aside, of what is left. */
function drawnText({ aside, queryAxis }: Weights, edges: DrawnEdges, side: TextSide, at: number): string[] {
  const top = t(side === "query" ? "topKeys" : "topQueries", { n: edges.edges.length, cells: formatCount(edges.cells) });
  const said = { top, mass: formatPercent(edges.mass) };
  if (aside === undefined || side === "key") return [t("linesDrawn", said)];
  const share = aside.mass?.[cellOf(queryAxis, at) ?? -1];
  const gone = share === undefined || Number.isNaN(share) ? [] : [t("factAside", { value: formatPercent(share) })];
  return [...gone, t("linesDrawnRest", said)];
}

/** What is drawn, and what is not because its other end is far away in a long text; null = nothing is pointed at. */
function readingText({ overview, weights, edges, at, side, visible }: HeadProps): string | null {
  const tokens = side === "query" ? overview.queryTokens : overview.keyTokens;
  if (at === null || weights === undefined) return null;
  const axis = side === "query" ? weights.queryAxis : weights.keyAxis;
  if (edges === undefined) {
    if (side === "key" && weights.aside?.positions.includes(at) === true) return t("asideToken", { token: tokenName(tokens, at) });
    if (axis.chosen === null) return null;
    return t("rowNotKept", { token: tokenName(tokens, at), position: formatCount(at), n: formatCount(axis.chosen.length) });
  }
  const drawn = edges.edges.length;
  const parts =
    weights.pool === null
      ? [t(side === "query" ? "looksAt" : "lookedAtBy", { token: tokenName(tokens, at) }), ...drawnText(weights, edges, side, at)]
      : [
          t(side === "query" ? "spanLooksAt" : "spanLookedAtBy", { span: axisName(axis, at, tokens) }),
          t("blocksDrawn", { n: drawn, cells: formatCount(edges.cells) }),
        ];
  if (visible < drawn) {
    const other = side === "query" ? overview.keyTokens : overview.queryTokens;
    const strongest = edges.edges.slice(0, 3).map((edge) => {
      const name = edge.first === edge.last && other !== null ? ` ${tokenName(other, edge.first)}` : "";
      return `${spanText({ ...edge, count: 1 })}${name} ${formatNumber(edge.weight)}`;
    });
    parts.push(t("linesOutside", { n: drawn - visible }), t("strongestOutside", { where: strongest.join(", ") }));
  }
  return parts.join(" · ");
}

/** The hint keeps its room while something is pointed at, so that the text stays where it is under the pointer. */
function Head(props: HeadProps): preact.JSX.Element {
  const { queryTokens, keyTokens } = props.overview;
  const reading = readingText(props);
  return (
    <p class="running-head muted" aria-live="off">
      <span class="running-hint" dir="auto" data-unseen={reading !== null}>
        {t(queryTokens === null && keyTokens === null ? "noTokens" : "hoverToken")}
      </span>
      {reading !== null && <span class="running-reading" dir="auto" title={reading}>{reading}</span>}
    </p>
  );
}

export function RunningText({ run, overview, weights, colour }: Props): preact.JSX.Element {
  const { store } = useApp();
  const host = useRef<HTMLDivElement>(null);
  const width = useWidth(host);
  const { query, key } = store.token.value;
  const at = query ?? key;
  const side: TextSide = query !== null ? "query" : "key";
  const edges = useMemo(() => {
    const line = weights === undefined ? undefined : lineOfToken(weights, query, query === null ? key : null);
    return line === undefined ? undefined : topEdges(line);
  }, [weights, query, query === null ? key : null]);
  const span = useMemo((): TokenSpan | null => {
    const axis = side === "query" ? weights?.queryAxis : weights?.keyAxis;
    const cell = at === null || axis === undefined ? null : cellOf(axis, at);
    if (axis === undefined || cell === null) return at === null ? null : { first: at, last: at, count: 1 };
    return axis.block > 1 ? spanOf(axis, cell) : { first: at ?? 0, last: at ?? 0, count: 1 };
  }, [weights, side, at]);

  const layer = overview.layers[0];
  const queries = overview.queryTokens?.text.length ?? layer?.queries ?? 0;
  const keys = overview.keyTokens?.text.length ?? layer?.keys ?? 0;
  const one = sameTokens(overview.queryTokens, overview.keyTokens) && queries === keys;
  const queryStart = useWindow(queries, one || side === "query" ? at : null);
  const keyStart = useWindow(keys, one ? null : side === "key" ? at : null);
  const drawn = useLines(host.current, edges, span, side, `${width} ${queryStart} ${keyStart} ${queries} ${keys}`);
  const aside = useAside(weights);
  const kept = layer === undefined || layer.rows.length === 0 ? null : layer.rows;

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
      <Head overview={overview} weights={weights} edges={edges} at={at} side={side} visible={drawn.lines.length} />
      <div
        ref={host}
        class="running-body"
        {...(queries + keys > SHORT_TEXT ? { tabIndex: 0, role: "region", "aria-label": t("textLabel", { run }), "data-keys": "scroll" } : {})}
        onMouseOver={hover}
        onMouseLeave={() => store.setHover({})}
        onClick={lock}
      >
        {!one && <span class="muted">{t("queryText")}</span>}
        <TokenSpans tokens={overview.queryTokens} count={queries} start={queryStart} mask={overview.queryMask}
          side={one ? "query key" : "query"} label={t("textLabel", { run })} kept={kept} aside={one ? aside : undefined} />
        {!one && <span class="muted">{t("keyText")}</span>}
        {!one && (
          <TokenSpans tokens={overview.keyTokens} count={keys} start={keyStart} mask={overview.keyMask}
            side="key" label={t("keyText")} kept={null} aside={aside} />
        )}
        <Lines {...drawn} />
      </div>
    </div>
  );
}
