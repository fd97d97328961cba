// One head at many steps, small: what the server answers, as plain objects, kept up to a budget.
import { ByteLru } from "../base/lru";
import { MultiplesResponse, type HeadPicture as HeadPictureMessage } from "../gen/tb_llmdebug/plugin/view_pb";
import { DataError } from "./errors";
import { parse } from "./message";
import { Transport, type Fetch } from "./transport";
import type { HeadRef, Look, MapState } from "./types";
import type { Unzstd } from "./zstd";

/** One head of one example of a series: a row of pictures. */
export interface StripRef extends HeadRef {
  readonly series: string;
  readonly example: number;
  readonly look: Look;
}

/** Texels at the ends of a picture. */
export interface Margins {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** A head at one record. */
export interface HeadPicture {
  readonly strip: string;
  readonly ordinal: number;
  readonly step: number;
  readonly mapState: MapState;
  /** One sentence; then there is nothing else. */
  readonly error: string | null;
  readonly rows: number;
  readonly cols: number;
  /** Query rows and keys in one texel; 1 = every weight is there. */
  readonly pooledRows: number;
  readonly pooledKeys: number;
  /** [rows, cols], w = peak * (q / 255)^2; null when no map was stored. */
  readonly codes: Uint8Array | null;
  readonly peak: number;
  readonly notFinite: boolean;
  /** NaN = not defined or not logged. */
  readonly values: ReadonlyMap<string, number>;
  /** Equal for equal tokens; "" if none were logged. */
  readonly input: string;
  /** Keys that are not in it. */
  readonly aside: readonly number[];
  /** Share of the weight on them, mean over the rows; NaN where there are none, or no row has any weight. */
  readonly asideMass: number;
  /** Nothing but padding; columns of it only where no weight at all is on any. */
  readonly padding: Margins;
}

/** The server's limit on records in one request. */
export const maxRecords = 64;
/** Bytes of one picture that the page accepts. */
const maxPicture = 1 << 22;

export const stripKey = ({ series, example, layer, head, look }: StripRef): string =>
  `${series}.${example}.${layer}.${head} ${look.pool} ${look.sinks}`;

function pictureOf(message: HeadPictureMessage, names: readonly string[], strip: string, ordinal: number, unzstd: Unzstd): HeadPicture {
  const { rows, cols } = message;
  let error = message.error === "" ? null : message.error;
  let codes: Uint8Array | null = null;
  if (error === null && message.thumb.length > 0) {
    try {
      if (rows * cols === 0 || rows * cols > maxPicture) throw new DataError(`A picture of ${rows} × ${cols} is refused by the page.`);
      codes = unzstd(message.thumb, rows * cols);
    } catch (problem) {
      if (!(problem instanceof DataError)) throw problem;
      error = problem.message;
    }
  }
  return {
    strip,
    ordinal,
    step: Number(message.step),
    mapState: message.mapState,
    error,
    rows,
    cols,
    pooledRows: message.pooledRows,
    pooledKeys: message.pooledKeys,
    codes,
    peak: message.peak,
    notFinite: message.notFinite,
    values: new Map(names.map((name, i) => [name, message.values[i] ?? NaN])),
    input: message.input.join(","),
    aside: message.aside,
    asideMass: message.aside.length === 0 ? NaN : message.asideMass,
    padding: paddingOf(message.padding),
  };
}

function paddingOf([top = 0, bottom = 0, left = 0, right = 0]: readonly number[]): Margins {
  return { top, bottom, left, right };
}

export function decodeMultiples(body: ArrayBuffer, strip: string, first: number, unzstd: Unzstd): HeadPicture[] {
  const response = parse(MultiplesResponse, body);
  if (response.first !== first) throw new DataError("The server answered with other steps than were asked for: reload the page.");
  return response.pictures.map((picture, i) => pictureOf(picture, response.statistics, strip, first + i, unzstd));
}

const bytesOf = (picture: HeadPicture): number => 512 + (picture.codes?.length ?? 0);

/** Asks for pictures and keeps them; what could not be read is not kept. */
export class MultiplesClient {
  private readonly transport: Transport;
  private readonly known: ByteLru<HeadPicture>;

  constructor(base: URL, fetch?: Fetch, budgetBytes = 48 << 20) {
    this.transport = new Transport(base, fetch);
    this.known = new ByteLru(budgetBytes);
  }

  cached(strip: StripRef, ordinal: number): HeadPicture | undefined {
    return this.known.get(`${stripKey(strip)} ${ordinal}`);
  }

  /** Records [from, to) of a strip, or the first few of them where maps are very large; never none. */
  async load(strip: StripRef, from: number, to: number, signal?: AbortSignal): Promise<HeadPicture[]> {
    const { series, example, layer, head, look } = strip;
    const sinks = look.sinks === "shown" ? [] : [["sinks", look.sinks] as const];
    const numbers = Object.entries({ from, to, example, layer, head }).map(([name, value]) => [name, String(value)] as const);
    // On its way at the same time; few visits need it here.
    const unzstd = import("./zstd").then(({ loadUnzstd }) => loadUnzstd());
    // Told where it is awaited, which an answer that fails prevents.
    unzstd.catch(() => undefined);
    const { body } = await this.transport.get("multiples", [["series", series], ...numbers, ["pool", look.pool], ...sinks], signal);
    const pictures = decodeMultiples(body ?? new ArrayBuffer(0), stripKey(strip), from, await unzstd);
    if (pictures.length === 0) throw new DataError("The server left out steps that were asked for: reload the page.");
    for (const picture of pictures) {
      if (picture.error === null) this.known.set(`${picture.strip} ${picture.ordinal}`, picture, bytesOf(picture));
    }
    return pictures;
  }
}
