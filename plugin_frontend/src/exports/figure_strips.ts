// Tokens on the colours of their scores, a strip per step, as a figure.
import { rgbOf } from "../render/spark_raster";
import { renderTheme, type RenderTheme } from "../render/theme";
import { lineHeight, moved, pageWidth, textSize, type BarTick, type Figure, type Heading, type Mark, type Measure } from "./figure";
import { pageMargin, pageOf, type Block } from "./figure_page";

/** A colour and how much of it is laid on the ground. */
export interface Shade {
  readonly rgb: readonly [r: number, g: number, b: number];
  readonly opacity: number;
}

export interface StripToken {
  readonly text: string;
  readonly ink: Shade | null;
  /** "folded": many tokens as one. "broken": its score is no number. */
  readonly kind: "plain" | "folded" | "broken";
}

export interface FigureStrip {
  readonly step: string;
  readonly tokens: readonly StripToken[];
  /** What stands behind the tokens. */
  readonly tail: readonly string[];
  readonly verdict: string;
  /** Of the step on screen. */
  readonly chosen: boolean;
  /** Its text is read from the right. */
  readonly leftwards: boolean;
}

export interface StripsPicture {
  readonly strips: readonly FigureStrip[];
  readonly bar: { readonly shades: readonly (Shade | null)[]; readonly ticks: readonly BarTick[]; readonly label: string };
  readonly heading: Heading;
  /** What is said of how many strips were drawn; "" = nothing. */
  readonly fitText: (drawn: number) => string;
  readonly stepTitle: string;
  readonly dark: boolean;
}

const pad = 1.8;
const tokenGap = 0.8;
const tokenHeight = 9.4;
const lineStep = 11;
const stripGap = 3.5;
/** A longer figure would be drawn coarser than print. */
const mostHeight = 2400;

interface Columns {
  /** From where to where the tokens reach. */
  readonly left: number;
  readonly right: number;
  readonly width: number;
}

const hex = ([r, g, b]: readonly [number, number, number]): string => `#${((r << 16) | (g << 8) | b).toString(16).padStart(6, "0")}`;

const tokenWidth = (text: string, measure: Measure): number => measure(text, textSize, false) + 2 * pad;

/** As wide as a page, or as the longest strip where that is less. */
function columnsOf({ strips, stepTitle }: StripsPicture, measure: Measure): Columns {
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => measure(text, textSize, true)));
  const verdicts = widest(strips.map(({ verdict }) => verdict));
  const aside = verdicts === 0 ? 0 : verdicts + 8;
  const left = 4 + Math.max(widest(strips.map(({ step }) => step)), widest([stepTitle])) + 6;
  const lengths = strips.map(({ tokens, tail }) => [...tokens.map(({ text }) => text), ...tail].reduce((sum, text) => sum + tokenWidth(text, measure) + tokenGap, 0));
  const right = Math.min(pageWidth - 2 * pageMargin - aside, left + Math.max(0, ...lengths));
  return { left, right, width: right + aside };
}

/** The tokens in lines, as a text is set. */
function tokenMarks({ tokens, tail, leftwards }: FigureStrip, { left, right }: Columns, theme: RenderTheme, measure: Measure): Block {
  const marks: Mark[] = [];
  let [x, line] = [left, 0];
  const place = (text: string, kind: StripToken["kind"] | "tail", ink: Shade | null): void => {
    const width = tokenWidth(text, measure);
    if (x > left && x + width > right) [x, line] = [left, line + 1];
    const box = { x: leftwards ? left + right - x - width : x, y: line * lineStep + (lineStep - tokenHeight) / 2, width, height: tokenHeight };
    if (ink !== null && ink.opacity > 0.002) marks.push({ kind: "rect", ...box, fill: hex(ink.rgb), opacity: ink.opacity });
    if (kind === "broken") marks.push({ kind: "rect", ...box, stroke: theme.warning, line: 0.6 });
    const fill = kind === "plain" ? theme.text : kind === "broken" ? theme.warning : theme.muted;
    marks.push({ kind: "text", x: box.x + width / 2, y: box.y + tokenHeight / 2, text, size: textSize, fill, anchor: "middle" });
    x += width + tokenGap;
  };
  for (const { text, kind, ink } of tokens) place(text, kind, ink);
  for (const text of tail) place(text, "tail", null);
  return { width: right - left, height: (line + 1) * lineStep, marks };
}

function stripBlock(strip: FigureStrip, columns: Columns, theme: RenderTheme, measure: Measure): Block {
  const { marks, height } = tokenMarks(strip, columns, theme, measure);
  const y = lineStep / 2;
  const label = { kind: "text", y, size: textSize } as const;
  return {
    width: columns.width,
    height: height + stripGap,
    marks: [
      ...(strip.chosen ? [{ kind: "rect", x: 0, y: 0, width: 1.5, height, fill: theme.locked } as const] : []),
      { ...label, x: columns.left - 6, text: strip.step, fill: strip.chosen ? theme.text : theme.muted, anchor: "end", bold: strip.chosen },
      ...marks,
      ...(strip.verdict === "" ? [] : [{ ...label, x: columns.width, text: strip.verdict, fill: theme.muted, anchor: "end" } as const]),
    ],
  };
}

/** As many as have room, the one on screen before all. */
function fitting(blocks: readonly Block[], chosen: number): ReadonlySet<number> {
  const kept = new Set<number>();
  let height = 0;
  for (const place of [...(chosen < 0 ? [] : [chosen]), ...blocks.keys()]) {
    const needed = kept.has(place) ? 0 : (blocks[place]?.height ?? 0);
    if (kept.size > 0 && height + needed > mostHeight) break;
    kept.add(place);
    height += needed;
  }
  return kept;
}

/** The colours as they look on the ground: those of the bar let nothing through. */
function onGround(shades: readonly (Shade | null)[], ground: string): Uint32Array<ArrayBuffer> {
  const under = rgbOf(ground);
  return Uint32Array.from(shades, (shade) => {
    const share = shade?.opacity ?? 0;
    const [r = 0, g = 0, b = 0] = under.map((one, i) => Math.round(one * (1 - share) + (shade?.rgb[i] ?? 0) * share));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

export function stripsFigure(picture: StripsPicture, measure: Measure): Figure {
  const { strips, bar, heading } = picture;
  const theme = renderTheme(picture.dark);
  const columns = columnsOf(picture, measure);
  const blocks = strips.map((strip) => stripBlock(strip, columns, theme, measure));
  const kept = fitting(blocks, strips.findIndex(({ chosen }) => chosen));
  let y = lineHeight(textSize);
  const marks: Mark[] = [{ kind: "text", x: columns.left - 6, y: y / 2, text: picture.stepTitle, size: textSize, fill: theme.muted, anchor: "end", bold: true }];
  blocks.forEach((block, place) => {
    if (!kept.has(place)) return;
    marks.push(...moved(block.marks, 0, y));
    y += block.height;
  });
  const caption = [heading.caption, picture.fitText(kept.size)].filter((text) => text !== "").join(" · ");
  return pageOf({ ...heading, caption }, theme, measure, {
    body: { width: columns.width, height: y, marks },
    bar: { label: bar.label, colours: onGround(bar.shades, theme.ground), ticks: bar.ticks },
  });
}
