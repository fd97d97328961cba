// The server's answers by what was asked: kept while a page is saved, given again when it is open.
import { t } from "../text/table";
import { formatBytes } from "../base/format";
import { DataError } from "./errors";
import type { Fetch } from "./transport";

/** Beyond this no browser opens the page well. */
export const mostBytes = 400 << 20;

/** What a page may still take in. */
export class Budget {
  private bytes = 0;

  /** Throws a DataError where it is used up. */
  take(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > mostBytes) throw new DataError(t("pageTooLarge", { size: formatBytes(mostBytes) }));
  }
}

/** Bodies, by route and query. */
export type Answers = Readonly<Record<string, Uint8Array>>;

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

/** Asks the server, and keeps what it answers. */
export class Recorder {
  private readonly kept: Record<string, Uint8Array> = {};

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
    if (!response.ok) return response;
    const body = new Uint8Array(await response.arrayBuffer());
    this.budget.take(body.length);
    this.kept[keyOf(this.base, url, this.renumber)] = body;
    return new Response(body, response);
  };
}

/** Of a saved page nothing can be fetched: what is in it is answered, of anything else it is said that it is not. */
export function replay(base: URL, answers: Answers): Fetch {
  return (url) => {
    const key = keyOf(base, url, (_, ordinal) => ordinal);
    const body = Object.hasOwn(answers, key) ? answers[key] : undefined;
    const missing = (): Response => new Response(t("notInFile"), { status: 404, headers: { "content-type": "text/plain" } });
    return Promise.resolve(body === undefined ? missing() : new Response(new Uint8Array(body)));
  };
}
