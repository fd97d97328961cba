// HTTP for the client: URLs, statuses, and one sentence for everything that can go wrong.
import { DataError } from "./errors";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Asked {
  readonly etag: string | null;
  /** null: 304, nothing changed. */
  readonly body: ArrayBuffer | null;
}

const maxBody = 1 << 29;

export class Transport {
  readonly base: URL;
  private readonly fetch: Fetch;

  constructor(base: URL, fetch: Fetch = (url, init) => globalThis.fetch(url, init)) {
    this.base = base;
    this.fetch = fetch;
  }

  async get(
    route: string,
    query: readonly (readonly [string, string])[],
    signal: AbortSignal | undefined,
    etag: string | null = null,
  ): Promise<Asked> {
    const response = await this.send(this.url(route, query), signal, etag);
    if (response.status === 304) return { etag, body: null };
    if (!response.ok) throw new DataError(await refusal(response), response.status);
    if (Number(response.headers.get("content-length") ?? 0) > maxBody) {
      throw new DataError("The server's answer is too large for the page.", response.status);
    }
    return { etag: response.headers.get("etag"), body: await this.read(response, signal) };
  }

  private url(route: string, query: readonly (readonly [string, string])[]): string {
    const url = new URL(route, this.base);
    url.search = new URLSearchParams(query.map(([name, value]) => [name, value])).toString();
    return url.href;
  }

  private async send(url: string, signal: AbortSignal | undefined, etag: string | null): Promise<Response> {
    const init: RequestInit = { credentials: "same-origin" };
    if (signal !== undefined) init.signal = signal;
    // Asking "has it changed" ourselves keeps 304 visible: the browser's cache would turn it into 200.
    if (etag !== null) {
      init.headers = { "If-None-Match": etag };
      init.cache = "no-store";
    }
    try {
      return await this.fetch(url, init);
    } catch (error) {
      throw orAbort(error, signal, "TensorBoard does not answer: check that it is still running.");
    }
  }

  private async read(response: Response, signal: AbortSignal | undefined): Promise<ArrayBuffer> {
    try {
      return await response.arrayBuffer();
    } catch (error) {
      throw orAbort(error, signal, "The connection to TensorBoard broke off: try again.");
    }
  }
}

function orAbort(error: unknown, signal: AbortSignal | undefined, sentence: string): Error {
  if (error instanceof DataError || (signal?.aborted === true && error instanceof Error)) return error;
  return new DataError(sentence);
}

/** Why the server did not answer what was asked, in one sentence. */
export async function refusal(response: Response): Promise<string> {
  const fallback = `TensorBoard answered with status ${response.status}.`;
  if (!(response.headers.get("content-type") ?? "").startsWith("text/plain")) return fallback;
  const text = (await response.text().catch(() => "")).trim();
  return text === "" || text.length > 500 ? fallback : text;
}
