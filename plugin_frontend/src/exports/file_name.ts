// File names out of logged names: such as every file system takes.

const mostBytes = 120;

/** One part: letters and digits of any script stay, everything else becomes a hyphen. */
function part(text: string): string {
  return text
    .slice(0, 4096)
    .normalize("NFC")
    .replace(/[^\p{L}\p{N}_.]+/gu, "-")
    .replace(/\.{2,}/g, ".")
    .replace(/^[-.]+|[-.]+$/g, "");
}

function shortened(text: string, bytes: number): string {
  const encoder = new TextEncoder();
  let used = 0;
  let out = "";
  for (const character of text) {
    used += encoder.encode(character).length;
    if (used > bytes) break;
    out += character;
  }
  return out.replace(/[-.]+$/, "");
}

/** `llmdebug_run_name_step-100.png`. Never a name that Windows reserves, for it begins with ours. */
export function fileName(parts: readonly string[], extension: string): string {
  const named = parts.map(part).filter((one) => one !== "");
  // The last parts say which head and step it is: what is too long is taken from the first ones.
  const room = Math.max(8, Math.floor((mostBytes - 12) / Math.max(1, named.length)));
  const whole = ["llmdebug", ...named].join("_");
  const fits = new TextEncoder().encode(whole).length <= mostBytes;
  const name = fits ? whole : ["llmdebug", ...named.map((one) => shortened(one, room))].join("_");
  return `${name}.${extension}`;
}
