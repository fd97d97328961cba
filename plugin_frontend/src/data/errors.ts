/** Something the page could not get or use; the message is the one sentence to show. */
export class DataError extends Error {
  override readonly name = "DataError";
  /** The HTTP status, if the server answered. */
  readonly status: number | null;

  constructor(sentence: string, status: number | null = null) {
    super(sentence);
    this.status = status;
  }
}

/** The server answered, and that it will not. */
export const isRefusal = (error: unknown): error is DataError => error instanceof DataError && error.status !== null;

/** As Promise.all, but it throws only once nothing is on its way any more, and a refusal only if nothing worse went wrong. */
export async function allDone<T>(asked: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(asked);
  const isWorse = (one: PromiseSettledResult<T> | undefined): boolean => one?.status === "rejected" && !isRefusal(one.reason);
  await Promise.all(asked.filter((_, i) => isWorse(settled[i])));
  return Promise.all(asked);
}
