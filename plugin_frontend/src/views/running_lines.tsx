// Lines over running text: from one token (or block of tokens) to those at the other end.
import { useLayoutEffect, useState } from "preact/hooks";
import type { DrawnEdges } from "../state/lines";

export type TextSide = "query" | "key";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Line {
  readonly path: string;
  /** One box for each row of the text that the tokens are on. */
  readonly boxes: readonly Place[];
  readonly share: number;
}

/** Positions `first` to `last`, both included. */
interface Span {
  readonly first: number;
  readonly last: number;
}

export interface DrawnLines {
  readonly lines: readonly Line[];
  /** Boxes around the tokens that the lines start from. */
  readonly from: readonly Place[];
}

const NOTHING: DrawnLines = { lines: [], from: [] };

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

/** The spans of one side that are in the page, in order. */
function tokensOf(host: HTMLElement, side: TextSide): readonly HTMLElement[] {
  return [...host.querySelectorAll<HTMLElement>(`[data-side~="${side}"]`)];
}

/** Boxes around neighbouring tokens; none where they are outside the text shown. */
function boxesOf(tokens: readonly HTMLElement[], { first, last }: Span): Place[] {
  const start = Number(tokens[0]?.dataset["token"] ?? 0);
  const boxes: Place[] = [];
  for (let place = Math.max(first, start); place <= Math.min(last, start + tokens.length - 1); place += 1) {
    const element = tokens[place - start];
    if (element === undefined) continue;
    const { offsetLeft: x, offsetTop: y, offsetWidth: width, offsetHeight: height } = element;
    const before = boxes.at(-1);
    if (before === undefined || Math.abs(before.y - y) > 2) boxes.push({ x, y, width, height });
    else boxes[boxes.length - 1] = joined(before, { x, y, width, height });
  }
  return boxes;
}

function joined(a: Place, b: Place): Place {
  const x = Math.min(a.x, b.x);
  return { ...a, x, width: Math.max(a.x + a.width, b.x + b.width) - x };
}

/** Scrolls a long text to what was pointed at elsewhere. */
function bringIntoSight(host: HTMLElement, { y, height }: Place): void {
  if (y >= host.scrollTop && y + height <= host.scrollTop + host.clientHeight) return;
  host.scrollTop = y - (host.clientHeight - height) / 2;
}

/**
 * Where the lines go. `text` changes whenever the tokens have moved: another window of a long text, another
 * width.
 */
export function useLines(
  host: HTMLElement | null,
  edges: DrawnEdges | undefined,
  span: Span | null,
  side: TextSide,
  text: string,
): DrawnLines {
  const [drawn, setDrawn] = useState(NOTHING);
  useLayoutEffect(() => {
    if (host === null || span === null) {
      setDrawn(NOTHING);
      return;
    }
    const from = boxesOf(tokensOf(host, side), span);
    const start = from[Math.floor(from.length / 2)];
    const others = tokensOf(host, side === "query" ? "key" : "query");
    const lines = (edges?.edges ?? []).flatMap((edge): Line[] => {
      const boxes = boxesOf(others, edge);
      const to = boxes[Math.floor(boxes.length / 2)];
      if (to === undefined || start === undefined || edges === undefined) return [];
      // A token that looks at itself is shaded; a line would have nowhere to go.
      const path = edge.first === span.first && to.x === start.x && to.y === start.y ? "" : arc(start, to);
      return [{ path, boxes, share: edge.weight / edges.peak }];
    });
    setDrawn({ lines, from });
    if (start !== undefined && !host.matches(":hover")) bringIntoSight(host, start);
  }, [host, edges, span?.first, span?.last, side, text]);
  return drawn;
}

export function Lines({ lines, from }: DrawnLines): preact.JSX.Element {
  return (
    <>
      <svg class="running-lines" aria-hidden="true">
        {lines.map((line, i) => (
          <g key={i} style={{ opacity: 0.2 + 0.8 * line.share }}>
            {line.boxes.map((box) => (
              <rect key={`${box.x} ${box.y}`} {...box} rx={2} style={{ opacity: 0.12 + 0.4 * line.share }} />
            ))}
            <path d={line.path} style={{ "stroke-width": 0.75 + 2.5 * line.share }} />
          </g>
        ))}
      </svg>
      {from.map((box) => (
        <span key={`${box.x} ${box.y}`} class="chosen" aria-hidden="true"
          style={{ left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` }} />
      ))}
    </>
  );
}
