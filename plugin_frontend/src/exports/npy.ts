// NumPy's array file, version 1.0, as numpy.lib.format describes it: a magic, the length of a header,
// the header (a Python literal, padded so that the data begin at a multiple of 64), the data.

export interface NumberArray {
  readonly shape: readonly number[];
  /** C order. */
  readonly values: Float32Array;
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];
const alignment = 64;

/** Little-endian float32 in C order; throws a RangeError where shape and values do not agree. */
export function npy({ shape, values }: NumberArray): Uint8Array<ArrayBuffer> {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== values.length) throw new RangeError(`${values.length} values do not fill [${shape.join(", ")}].`);
  const tuple = shape.length === 1 ? `${shape[0] ?? 0},` : shape.join(", ");
  const literal = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`;
  const before = magic.length + 2;
  const padded = Math.ceil((before + literal.length + 1) / alignment) * alignment;
  const header = `${literal.padEnd(padded - before - 1)}\n`;
  const out = new Uint8Array(padded + 4 * size);
  out.set(magic);
  const view = new DataView(out.buffer);
  view.setUint16(magic.length, header.length, true);
  out.set(new TextEncoder().encode(header), before);
  for (let i = 0; i < size; i += 1) view.setFloat32(padded + 4 * i, values[i] ?? NaN, true);
  return out;
}
