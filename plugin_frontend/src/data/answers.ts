// The server's answers by what was asked: kept while a page is saved, given again when it is open.
import { t } from "../text/table";
import { formatBytes } from "../base/format";
import { DataError, isRefusal } from "./errors";
import { refusal, type Fetch } from "./transport";

/** Characters: V8's longest string on 64 bits, 2^29 - 24 = 536,870,888. Other browsers have longer ones. */
export const longestText = 2 ** 29 - 24;
/**
 * What the data of a page may come to, packed and compressed. When it is opened they are one text in base64, four
 * characters for every three bytes begun: 3 * (536,870,888 / 4) = 402,653,166 bytes, just under 384 MiB, are a text of
 * 536,870,888. As JSON and names are counted too, no other text of it is longer.
 */
export const mostBytes = 3 * Math.floor(longestText / 4);

/** Throws a DataError where no browser is sure to open a page of so many bytes. */
export function assertOpens(bytes: number): void {
  if (bytes > mostBytes) throw new DataError(t("pageTooLarge", { size: formatBytes(longestText) }));
}

/** What a page may still take in: nothing more is asked for once it is known to be too much. */
export class Budget {
  private bytes = 0;

  /** Throws a DataError where it is used up. */
  take(bytes: number): void {
    this.bytes += bytes;
    assertOpens(this.bytes);
  }
}

/** What the server said in place of an answer. */
interface Refusal {
  readonly status: number;
  readonly sentence: string;
}

/** Bodies and refusals, by route and query. */
export type Answers = Readonly<Record<string, Uint8Array | Refusal>>;

/** The number that a record has in the file. */
export type Renumber = (series: string, ordinal: number) => number;

function renumbered(at: string, renumber: Renumber): string {
  const [series = "", ordinal = "", ...rest] = at.split(".");
  return [series, renumber(series, Number(ordinal)), ...rest].join(".");
}

function keyOf(base: URL, address: string, renumber: Renumber): string {
  const { pathname, searchParams } = new URL(address);
  const query = [...searchParams].map(([name, value]) => [name, name === "at" ? renumbered(value, renumber) : value]);
  return `${pathname.slice(base.pathname.length)}?${new URLSearchParams(query).toString()}`;
}

const refused = ({ status, sentence }: Refusal): Response => new Response(sentence, { status, headers: { "content-type": "text/plain" } });

/** Asks the server, and keeps what it answers, refusals too. */
export class Recorder {
  private readonly kept: Record<string, Uint8Array | Refusal> = {};

  constructor(
    readonly base: URL,
    private readonly renumber: Renumber,
    private readonly budget: Budget,
    private readonly ask: Fetch = (url, init) => globalThis.fetch(url, init),
  ) {}

  get answers(): Answers {
    return this.kept;
  }

  readonly fetch: Fetch = async (url, init) => {
    const response = await this.ask(url, init);
    const key = keyOf(this.base, url, this.renumber);
    if (!response.ok) return refused((this.kept[key] = { status: response.status, sentence: await refusal(response) }));
    const body = new Uint8Array(await response.arrayBuffer());
    this.budget.take(body.length);
    this.kept[key] = body;
    return new Response(body, response);
  };
}

/** Waits for what a recorder is asked. A refusal is an answer like any other; all else that goes wrong is thrown. */
export async function recorded(asked: Promise<unknown>): Promise<void> {
  try {
    await asked;
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

/** Of a saved page nothing can be fetched: what is in it is answered, of anything else it is said that it is not. */
export function replay(base: URL, answers: Answers): Fetch {
  return (url) => {
    const key = keyOf(base, url, (_, ordinal) => ordinal);
    const answer = (Object.hasOwn(answers, key) ? answers[key] : undefined) ?? { status: 404, sentence: t("notInFile") };
    return Promise.resolve(answer instanceof Uint8Array ? new Response(new Uint8Array(answer)) : refused(answer));
  };
}
