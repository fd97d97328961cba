// The strongest of many weights, on the bits of their float32. Which of two is larger is decided without a branch:
// between millions of weights a branch is taken wrongly too often, and costs three times as much.

/** The same memory, as bits. */
export function bitsOf(values: Float32Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length);
}

/** Of two the one that is larger in size, of equals the first. NaN is larger than everything. */
export function strongest(a: number, b: number): number {
  const first = ((b & 0x7fffffff) - (a & 0x7fffffff) - 1) >> 31;
  return (a & first) | (b & ~first);
}

/** NaN or Inf. */
export function isFault(bits: number): boolean {
  return (bits & 0x7f800000) === 0x7f800000;
}
