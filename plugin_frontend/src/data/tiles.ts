// One head's stored tiles -> its weights. The layout is stated in record.proto and view.proto.
import type { HeadTiles } from "../gen/tb_llmdebug/plugin/view_pb";
import { Codec } from "../gen/tb_llmdebug/wire/record_pb";
import { tokenAxis, type TokenAxis } from "../base/axis";
import { formatCount } from "../base/format";
import { DataError } from "./errors";
import { decodeFloat16, decodeFloat32 } from "./float16";
import type { Unzstd } from "./zstd";

/** Weights of one map, at most: 256 MiB of float32. */
export const maxWeights = 1 << 26;
/** Bytes of one decompressed frame, at most. */
export const maxFrameBytes = 1 << 28;

const bytesPerWeight: Readonly<Partial<Record<Codec, number>>> = {
  [Codec.F32]: 4,
  [Codec.F16]: 2,
  [Codec.SQRT_U8]: 1,
};

function describe(tiles: HeadTiles): string {
  return `The map of layer ${tiles.layer} head ${tiles.head}`;
}

/** Small maps are not split into tiles, whatever their shape. */
function inOneFrame(tiles: HeadTiles): boolean {
  return tiles.tiles.length === 1;
}

/** What the rows and columns of a head's tiles stand for. */
export interface HeadAxes {
  readonly query: TokenAxis;
  readonly key: TokenAxis;
}

export function axesOf(tiles: HeadTiles): HeadAxes {
  return {
    query: tokenAxis(tiles.queries, tiles.pooledRows, tiles.rows),
    key: tokenAxis(tiles.keys, tiles.pooledKeys),
  };
}

/** Blocks hold their largest or mean weight, which are not parts of a row's sum. */
export function isPooled({ pooledRows, pooledKeys }: HeadTiles): boolean {
  return pooledRows > 1 || pooledKeys > 1;
}

function checkShape(tiles: HeadTiles, rows: number, columns: number): number {
  const { tile } = tiles;
  const size = bytesPerWeight[tiles.codec];
  if (size === undefined) {
    throw new DataError(`${describe(tiles)} is stored in a way that this page does not know: update tb_llmdebug.`);
  }
  if (rows * columns > maxWeights) {
    throw new DataError(
      `${describe(tiles)} has ${formatCount(rows * columns)} weights, more than the page can hold ` +
        `(${formatCount(maxWeights)}): log fewer rows.`,
    );
  }
  const heads = tiles.frameHeads;
  if (heads === 0 || tiles.frameSlot >= heads) {
    throw new DataError(`${describe(tiles)} is said to be number ${tiles.frameSlot} of ${heads} in its block.`);
  }
  if (inOneFrame(tiles)) return size;
  if (tile === 0) throw new DataError(`${describe(tiles)} states no tile size.`);
  const expected = Math.ceil(rows / tile) * Math.ceil(columns / tile);
  if (tiles.tiles.length !== expected) {
    throw new DataError(`${describe(tiles)} has ${tiles.tiles.length} tiles where ${expected} belong.`);
  }
  return size;
}

/** What one tile's bytes stand for, before rows are renormalised. */
function decodeTile(bytes: Uint8Array, codec: Codec, peak: number): Float32Array {
  if (codec === Codec.F32) return decodeFloat32(bytes);
  if (codec === Codec.F16) return decodeFloat16(bytes);
  const levels = Float32Array.from({ length: 256 }, (_, q) => peak * (q / 255) ** 2);
  return Float32Array.from(bytes, (q) => levels[q] ?? 0);
}

interface Plane {
  readonly tiles: HeadTiles;
  readonly rows: number;
  readonly columns: number;
  /** Bytes of a weight. */
  readonly size: number;
}

function placeTiles({ tiles, rows: height, columns: width, size }: Plane, values: Float32Array, unzstd: Unzstd): void {
  const { frameHeads } = tiles;
  const tile = inOneFrame(tiles) ? Math.max(height, width) : tiles.tile;
  let next = 0;
  for (let top = 0; top < height; top += tile) {
    const rows = Math.min(tile, height - top);
    for (let left = 0; left < width; left += tile) {
      const cols = Math.min(tile, width - left);
      const frame = tiles.tiles[next++];
      if (frame === undefined || frame.length === 0) continue;
      const one = rows * cols * size;
      if (one * frameHeads > maxFrameBytes) throw new DataError(`${describe(tiles)} is in a block that is too large.`);
      const bytes = unzstd(frame, one * frameHeads).subarray(one * tiles.frameSlot, one * (tiles.frameSlot + 1));
      const weights = decodeTile(bytes, tiles.codec, tiles.peak);
      for (let row = 0; row < rows; row += 1) {
        values.set(weights.subarray(row * cols, (row + 1) * cols), (top + row) * width + left);
      }
    }
  }
}

/** Scales each row so that it sums to what was logged; a row of zeros stays one. */
export function renormaliseRows(values: Float32Array, keys: number, sums: Float32Array): void {
  for (let row = 0; row < sums.length; row += 1) {
    const start = row * keys;
    let total = 0;
    for (let i = start; i < start + keys; i += 1) total += values[i] ?? 0;
    if (total === 0) continue;
    // A sum that is not finite gives NaN: such a row must not look like a healthy one.
    const sum = sums[row] ?? NaN;
    const factor = Number.isFinite(sum) ? sum / total : NaN;
    for (let i = start; i < start + keys; i += 1) values[i] = (values[i] ?? 0) * factor;
  }
}

/** [rows, columns] of its axes; throws a DataError if anything does not fit the declared shape. */
export function decodeHead(tiles: HeadTiles, unzstd: Unzstd): Float32Array {
  const { query, key } = axesOf(tiles);
  const [rows, columns] = [query.cells, key.cells];
  const size = checkShape(tiles, rows, columns);
  const summed = tiles.codec === Codec.SQRT_U8 && !isPooled(tiles);
  if (summed && tiles.rowSums.length !== 2 * rows) {
    throw new DataError(`${describe(tiles)} has ${tiles.rowSums.length >> 1} row sums where ${rows} belong.`);
  }
  const values = new Float32Array(rows * columns);
  placeTiles({ tiles, rows, columns, size }, values, unzstd);
  if (summed) renormaliseRows(values, columns, decodeFloat16(tiles.rowSums));
  return values;
}
