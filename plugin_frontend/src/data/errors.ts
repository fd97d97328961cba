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
