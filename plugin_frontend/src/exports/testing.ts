// What tests of figures share: a measure without a canvas, and the places of marks.
import type { Figure, Mark, Measure, Rect } from "./figure";

/** Every character as wide as in a wide font, in bold a fifth wider. */
export const measure: Measure = (text, size, bold) => (bold ? 0.72 : 0.6) * size * text.length;

export const textsOf = ({ marks }: { readonly marks: readonly Mark[] }): string[] => marks.flatMap((mark) => (mark.kind === "text" ? [mark.text] : []));

export function boxOf(mark: Mark): Rect {
  switch (mark.kind) {
    case "line":
    case "area": {
      const [xs, ys] = [mark.points.map(([x]) => x), mark.points.map(([, y]) => y)];
      const [x, y] = [Math.min(...xs), Math.min(...ys)];
      return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
    }
    case "dot":
      return { x: mark.x - mark.radius, y: mark.y - mark.radius, width: 2 * mark.radius, height: 2 * mark.radius };
    case "text": {
      const width = measure(mark.text, mark.size, mark.bold === true);
      const before = mark.anchor === "start" ? 0 : mark.anchor === "middle" ? width / 2 : width;
      return mark.turned === true
        ? { x: mark.x - mark.size / 2, y: mark.y - width + before, width: mark.size, height: width }
        : { x: mark.x - before, y: mark.y - mark.size / 2, width, height: mark.size };
    }
    default:
      return mark;
  }
}

/** Marks that leave the page, with a hair to spare for rings around cells. */
export function outside({ width, height, marks }: Figure): Mark[] {
  const spare = 0.01;
  return marks.filter((mark) => {
    const box = boxOf(mark);
    return box.x < -spare || box.y < -spare || box.x + box.width > width + spare || box.y + box.height > height + spare;
  });
}

/** Pairs of texts that lie on each other. */
export function overlapping({ marks }: Figure): string[] {
  const texts = marks.flatMap((mark) => (mark.kind === "text" ? [{ text: mark.text, box: boxOf(mark) }] : []));
  const apart = (a: Rect, b: Rect): boolean =>
    a.x + a.width <= b.x + 0.01 || b.x + b.width <= a.x + 0.01 || a.y + a.height <= b.y + 0.01 || b.y + b.height <= a.y + 0.01;
  return texts.flatMap((one, i) => texts.slice(i + 1).flatMap((other) => (apart(one.box, other.box) ? [] : [`${one.text} | ${other.text}`])));
}

export const heading = { title: "A title of a figure", subtitle: "run · step 3", caption: `what is to be known ${"and more ".repeat(40)}` };

