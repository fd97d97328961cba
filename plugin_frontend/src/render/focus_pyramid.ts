// A large map at a half, a quarter, ... of its size, each cell the strongest of four. While the map moves it is
// drawn from these, at a cost that depends on what the screen has pixels for, not on the number of weights.
import type { Disposable } from "../base/disposables";
import { whileIdle } from "../base/idle";
import { isRealRow, type Weights } from "./focus_raster";
import { bitsOf, isFault, strongest } from "./strongest";

export interface Level extends Weights {
  /** Rows and columns of weights in one cell. */
  readonly block: number;
}

/** A smaller map is pooled anew in every frame. */
const largeMap = 1 << 18;
/** The last level is at most this long. */
const smallEnough = 128;
/** So many weights are halved at once: less than a millisecond. */
const sliceWeights = 1 << 17;

export function isLarge({ keys, queries }: { readonly keys: number; readonly queries: number }): boolean {
  return keys * queries > largeMap;
}

/** NaN wins over everything, then size. Of rows that are not real only faults count. */
function halveRows(from: Weights, into: Weights, first: number, end: number): void {
  const [bits, out] = [bitsOf(from.values), bitsOf(into.values)];
  for (let query = first; query < end; query += 1) {
    const real = isRealRow(from, query);
    const [start, to] = [query * from.keys, (query >> 1) * into.keys];
    for (let key = 0; key < into.keys; key += 1) {
      const left = bits[start + 2 * key] ?? 0;
      const value = 2 * key + 1 < from.keys ? strongest(left, bits[start + 2 * key + 1] ?? 0) : left;
      if (real || isFault(value)) out[to + key] = strongest(out[to + key] ?? 0, value);
    }
  }
}

/** Levels of half as many rows and columns each, and between them pauses, which yield nothing. */
export function* halvings(data: Weights, enough = smallEnough): Generator<Level | undefined> {
  for (let last: Level = { ...data, block: 1 }; Math.max(last.keys, last.queries) > enough; ) {
    const [keys, queries] = [Math.ceil(last.keys / 2), Math.ceil(last.queries / 2)];
    const half: Level = { block: 2 * last.block, keys, queries, values: new Float32Array(keys * queries), queryMask: null };
    const rows = Math.max(1, Math.floor(sliceWeights / last.keys));
    for (let row = 0; row < last.queries; row += rows) {
      halveRows(last, half, row, Math.min(row + rows, last.queries));
      yield undefined;
    }
    yield half;
    last = half;
  }
}

export class Pyramid implements Disposable {
  private data: Weights | null = null;
  private levels: Level[] = [];
  private work: Iterator<Level | undefined> = [][Symbol.iterator]();
  private stop = (): void => undefined;

  /** The finest level of which a cell is at least as large as a pixel; null where the weights themselves are. */
  level(data: Weights, weightsPerPixel: number): Level | null {
    if (weightsPerPixel <= 1) return null;
    this.finish(data);
    return this.levels.find((level) => level.block >= weightsPerPixel) ?? this.levels.at(-1) ?? null;
  }

  /** Made once for a map, while the page has nothing else to do: before somebody moves it. null: lets go of the last. */
  prepare(data: Weights | null): void {
    if (data === null) {
      this.dispose();
      return;
    }
    this.begin(data);
    this.stop();
    this.stop = whileIdle(() => this.goOn(), true);
  }

  /** Lets go of a map that is no longer shown. */
  dispose(): void {
    this.stop();
    [this.data, this.levels, this.work] = [null, [], [][Symbol.iterator]()];
  }

  private begin(data: Weights): void {
    if (data === this.data) return;
    this.stop();
    [this.data, this.levels, this.work] = [data, [], halvings(data)];
  }

  /** Somebody moved it before. */
  private finish(data: Weights): void {
    this.begin(data);
    while (this.goOn());
  }

  /** Does a little; false once there is nothing left. */
  private goOn(): boolean {
    const { value, done = false } = this.work.next() as IteratorResult<Level | undefined, undefined>;
    if (value !== undefined) this.levels.push(value);
    return !done;
  }
}
