// The run filter: a regular expression, typed by hand and therefore often unfinished.

export interface Filter {
  readonly matches: (name: string) => boolean;
  /** Why it is no regular expression; everything matches then. */
  readonly error: string | null;
}

export function compileFilter(text: string): Filter {
  if (text === "") return { matches: () => true, error: null };
  try {
    // "i" as in TensorBoard.
    const pattern = new RegExp(text, "i");
    return { matches: (name) => pattern.test(name.slice(0, 1024)), error: null };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*?: (?=[^/]*$)/, "") : String(error);
    return { matches: () => true, error: reason };
  }
}
