// A saved page: the template that the build made, with the data put in. Only base64 is put in, so that
// nothing of what was logged is ever read as markup.
import { base64Pieces } from "../data/pack";

/** Where the data go; the build leaves it in the template, once. */
export const placeholder = "%LLMDEBUG-DATA%";

/** Beyond this the reader is asked first. */
export const largePage = 20 << 20;

/** Throws a RangeError if this is not the template of a page. */
export function pageBlob(template: string, data: Uint8Array): Blob {
  const at = template.indexOf(placeholder);
  if (at < 0) throw new RangeError("The template of a saved page has no place for data: build the front end again.");
  const pieces = [template.slice(0, at), ...base64Pieces(data), template.slice(at + placeholder.length)];
  return new Blob(pieces, { type: "text/html;charset=utf-8" });
}
