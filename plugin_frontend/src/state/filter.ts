// The run filter: a regular expression, typed by hand and therefore often unfinished, or brought by a link
// and therefore possibly made to hang the page.
import { compilePattern } from "../base/pattern";

export interface Filter {
  readonly matches: (name: string) => boolean;
  /** Why it is no regular expression; everything matches then. */
  readonly error: string | null;
  /** It asks for more than is done here, and is looked for as it stands. */
  readonly asText: boolean;
}

const LONGEST_NAME = 1024;

export function compileFilter(text: string): Filter {
  if (text === "") return { matches: () => true, error: null, asText: false };
  try {
    const found = compilePattern(text);
    const plain = text.toLowerCase();
    const matches = found ?? ((name: string) => name.toLowerCase().includes(plain));
    return { matches: (name) => matches(name.slice(0, LONGEST_NAME)), error: null, asText: found === null };
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^.*?: (?=[^/]*$)/, "") : String(error);
    return { matches: () => true, error: reason, asText: false };
  }
}
