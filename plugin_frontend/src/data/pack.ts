// Plain values with bytes in them <-> one block of bytes: what a saved page carries. Equal byte strings
// (the frames that heads share) are kept once.

const magic = "LLMDBG1\n";

type Packed = { readonly $bytes: number } | { readonly $big: string } | { readonly $number: string };

class Blobs {
  readonly all: Uint8Array[] = [];
  private readonly byHash = new Map<number, number[]>();

  add(bytes: Uint8Array): number {
    const hash = hashOf(bytes);
    const same = this.byHash.get(hash) ?? [];
    const known = same.find((place) => equal(this.all[place], bytes));
    if (known !== undefined) return known;
    this.byHash.set(hash, [...same, this.all.length]);
    return this.all.push(bytes) - 1;
  }
}

/** FNV-1a over the length and up to a thousand bytes: equality is checked afterwards. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 ^ bytes.length;
  const stride = Math.max(1, Math.floor(bytes.length / 1024));
  for (let i = 0; i < bytes.length; i += stride) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return hash >>> 0;
}

function equal(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, i) => byte === b[i]);
}

function replace(value: unknown, blobs: Blobs): unknown {
  if (value instanceof Uint8Array) return { $bytes: blobs.add(value) } satisfies Packed;
  if (typeof value === "bigint") return { $big: String(value) } satisfies Packed;
  if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) } satisfies Packed;
  if (Array.isArray(value)) return value.map((one) => replace(one, blobs));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replace(one, blobs)]));
}

/** Parts of the block, in order; joined they are what `unpack` reads. */
export function pack(value: unknown): Uint8Array<ArrayBuffer>[] {
  const blobs = new Blobs();
  const text = new TextEncoder().encode(JSON.stringify(replace(value, blobs)));
  const head = new Uint8Array(magic.length + 8 + text.length + 4 * blobs.all.length);
  const view = new DataView(head.buffer);
  head.set(new TextEncoder().encode(magic));
  view.setUint32(magic.length, text.length, true);
  view.setUint32(magic.length + 4, blobs.all.length, true);
  blobs.all.forEach((blob, i) => view.setUint32(magic.length + 8 + 4 * i, blob.length, true));
  head.set(text, magic.length + 8 + 4 * blobs.all.length);
  return [head, ...blobs.all.map((blob) => new Uint8Array(blob))];
}

function restore(value: unknown, blobs: readonly Uint8Array[]): unknown {
  if (Array.isArray(value)) return value.map((one) => restore(one, blobs));
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = Object.entries(value);
  const only = entries[0];
  if (only !== undefined && entries.length === 1) {
    const [key, content] = only;
    if (key === "$bytes") return blobs[Number(content)] ?? new Uint8Array();
    if (key === "$big") return BigInt(String(content));
    if (key === "$number") return Number(content);
  }
  // fromEntries defines properties, so "__proto__" is a name like any other.
  return Object.fromEntries(entries.map(([key, one]) => [key, restore(one, blobs)]));
}

/** Throws a RangeError if the bytes are not what `pack` made. */
export function unpack(bytes: Uint8Array): unknown {
  const start = magic.length + 8;
  if (bytes.length < start || new TextDecoder().decode(bytes.subarray(0, magic.length)) !== magic) {
    throw new RangeError("These are not the data of a saved page.");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const textLength = view.getUint32(magic.length, true);
  const count = view.getUint32(magic.length + 4, true);
  const textAt = start + 4 * count;
  let at = textAt + textLength;
  if (at > bytes.length) throw new RangeError("The data of this saved page are cut short.");
  const blobs = Array.from({ length: count }, (_, i) => {
    const length = view.getUint32(start + 4 * i, true);
    if (at + length > bytes.length) throw new RangeError("The data of this saved page are cut short.");
    at += length;
    return bytes.subarray(at - length, at);
  });
  return restore(JSON.parse(new TextDecoder().decode(bytes.subarray(textAt, textAt + textLength))), blobs);
}

async function through(bytes: readonly Uint8Array<ArrayBuffer>[], stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  const piped = new Blob([...bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

/** Thumbnails are sent as they are, and shrink by more than base64 adds. */
export const gzip = (parts: readonly Uint8Array<ArrayBuffer>[]): Promise<Uint8Array<ArrayBuffer>> => through(parts, new CompressionStream("gzip"));

export const gunzip = (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> => through([bytes], new DecompressionStream("gzip"));

/** Base64 in pieces, none of them longer than an argument list may be. */
export function base64Pieces(bytes: Uint8Array): string[] {
  const piece = 3 * 8192;
  return Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) => btoa(String.fromCharCode(...bytes.subarray(i * piece, (i + 1) * piece))));
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.trim());
  const out = new Uint8Array(binary.length);
  for (let i = 0; i < out.length; i += 1) out[i] = binary.charCodeAt(i);
  return out;
}
