// Messages for the tests, compressed with the same library that decodes them.
import { compress, init } from "@bokuweb/zstd-wasm";
import { HeadTiles, MapsResponse } from "../gen/testing/tb_llmdebug/plugin/view_pb";
import { Codec } from "../gen/tb_llmdebug/wire/record_pb";

await init();

export function zstd(bytes: ArrayLike<number>): Uint8Array {
  return compress(Uint8Array.from(bytes), 1);
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Exact for the sums the tests use: 0, 0.5, 1 and the special values. */
export function float16(values: readonly number[]): Uint8Array {
  const known = new Map<number, number>([
    [0, 0],
    [0.25, 0x3400],
    [0.5, 0x3800],
    [0.75, 0x3a00],
    [1, 0x3c00],
    [Infinity, 0x7c00],
    [-Infinity, 0xfc00],
    [NaN, 0x7e00],
  ]);
  const bits = values.map((value) => {
    const found = known.get(value);
    if (found === undefined) throw new RangeError(`The fixture has no float16 for ${value}.`);
    return found;
  });
  return Uint8Array.from(bits.flatMap((one) => [one & 255, one >> 8]));
}

export function headTiles(fields: Parameters<typeof HeadTiles.fromPartial>[0]): HeadTiles {
  return HeadTiles.fromPartial({ layer: 1, head: 2, tile: 256, codec: Codec.F32, frameHeads: 1, ...fields });
}

/** The body of a `maps` answer. */
export function mapsBody(fields: Parameters<typeof MapsResponse.fromPartial>[0]): ArrayBuffer {
  return MapsResponse.encode(MapsResponse.fromPartial(fields)).finish().slice().buffer;
}
