// Padding at the ends of small maps: left out as it is of the large ones (see padding.ts), alike in all of one size.
import type { HeadPicture, Margins } from "../data/multiples";

/** By the size of a picture, what none of that size needs. */
export type CommonMargins = ReadonlyMap<string, Margins>;

type Size = Pick<HeadPicture, "rows" | "cols">;

const NONE: Margins = { top: 0, bottom: 0, left: 0, right: 0 };
const sizeOf = ({ rows, cols }: Size): string => `${rows} ${cols}`;

/** What a picture does not need: a fault has to be seen. Weight on padding has to be too; the server looks at it. */
function marginsOf({ rows, cols, padding, notFinite }: HeadPicture): Margins {
  const nothingElse = padding.top + padding.bottom >= rows || padding.left + padding.right >= cols;
  return notFinite || nothingElse ? NONE : padding;
}

const smaller = (a: Margins, b: Margins): Margins => ({
  top: Math.min(a.top, b.top),
  bottom: Math.min(a.bottom, b.bottom),
  left: Math.min(a.left, b.left),
  right: Math.min(a.right, b.right),
});

/** `known` with what these pictures need too; the same object where nothing changes. */
export function commonMargins(known: CommonMargins, pictures: readonly HeadPicture[]): CommonMargins {
  const found = new Map(known);
  for (const picture of pictures) {
    if (picture.codes === null) continue;
    const size = sizeOf(picture);
    const before = found.get(size);
    const own = marginsOf(picture);
    found.set(size, before === undefined ? own : smaller(before, own));
  }
  return JSON.stringify([...found]) === JSON.stringify([...known]) ? known : found;
}

function cropped(picture: HeadPicture, { top, bottom, left, right }: Margins): HeadPicture {
  const { codes, cols, rows, strip } = picture;
  if (codes === null || top + bottom + left + right === 0) return picture;
  const [height, width] = [rows - top - bottom, cols - left - right];
  const kept = new Uint8Array(height * width);
  for (let row = 0; row < height; row += 1) {
    const start = (top + row) * cols + left;
    kept.set(codes.subarray(start, start + width), row * width);
  }
  // By its name its tile is kept: with other margins it is another picture.
  return { ...picture, strip: `${strip} ${top}.${bottom}.${left}.${right}`, rows: height, cols: width, codes: kept };
}

/** Of a picture of this size, what is left of it. */
export function sizeWithout({ rows, cols }: Size, common: CommonMargins): Size {
  const { top, bottom, left, right } = common.get(sizeOf({ rows, cols })) ?? NONE;
  return { rows: rows - top - bottom, cols: cols - left - right };
}

/** What is in sight is asked for at every frame. */
const made = new WeakMap<HeadPicture, { readonly margins: Margins; readonly picture: HeadPicture }>();

/** The picture without the margins of its size. */
export function withoutMargins(picture: HeadPicture, common: CommonMargins): HeadPicture {
  const margins = common.get(sizeOf(picture));
  if (margins === undefined) return picture;
  const known = made.get(picture);
  if (known?.margins === margins) return known.picture;
  const found = cropped(picture, margins);
  made.set(picture, { margins, picture: found });
  return found;
}
