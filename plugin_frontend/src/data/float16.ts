// float16 by table: 65,536 entries cost 256 KiB once and make a map a row of look-ups.

let table: Float32Array | null = null;

function valueOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function float16Table(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => valueOf(bits));
  return table;
}

/** Reads little-endian float16 whatever the alignment of `bytes`. */
export function decodeFloat16(bytes: Uint8Array): Float32Array {
  const values = float16Table();
  const out = new Float32Array(bytes.length >> 1);
  for (let i = 0; i < out.length; i += 1) {
    const bits = (bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8);
    out[i] = values[bits] ?? NaN;
  }
  return out;
}

/** Reads little-endian float32 whatever the alignment of `bytes`. */
export function decodeFloat32(bytes: Uint8Array): Float32Array {
  // A copy is aligned; every platform that runs a browser is little-endian.
  return new Float32Array(bytes.slice().buffer, 0, bytes.length >> 2);
}
