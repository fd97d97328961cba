// Regular expressions that cannot hang: all ways through one are followed at once, so that a name costs no
// more than its length times the size of the expression. The browser's own engine tries one way after the
// other, and a link could bring an expression for which that takes years.
// The construction is Ken Thompson's (Communications of the ACM 11(6), 1968).

type Node =
  | { readonly kind: "character"; readonly test: (character: string) => boolean }
  | { readonly kind: "assertion"; readonly holds: (text: string, at: number) => boolean }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; readonly most: number };

type State =
  | { readonly kind: "character"; readonly test: (character: string) => boolean; readonly next: number }
  | { readonly kind: "assertion"; readonly holds: (text: string, at: number) => boolean; readonly next: number }
  | { readonly kind: "fork"; readonly next: number[] };

/** What this does not do: look-arounds, back-references, and repetitions beyond all measure. */
class Unsupported extends Error {}

const MOST_PARTS = 512;
const FOUND = -1;

const isWord = (text: string, at: number): boolean => /\w/.test(text.charAt(at));
const atBoundary = (text: string, at: number): boolean => isWord(text, at - 1) !== isWord(text, at);

const ASSERTIONS: Readonly<Record<string, (text: string, at: number) => boolean>> = {
  "^": (_, at) => at === 0,
  $: (text, at) => at === text.length,
  "\\b": atBoundary,
  "\\B": (text, at) => !atBoundary(text, at),
};

/** One character of the expression as JavaScript reads it: a class, an escape, a dot or itself. */
function characterTest(source: string): (character: string) => boolean {
  const alone = new RegExp(`^(?:${source})$`, "i");
  const known = new Map<string, boolean>();
  return (character) => {
    const found = known.get(character) ?? alone.test(character);
    known.set(character, found);
    return found;
  };
}

class Parser {
  private at = 0;

  constructor(private readonly source: string) {}

  /** All of a group, or of the expression. */
  choice(): Node {
    const parts = [this.sequence()];
    while (this.take(/\|/y) !== undefined) parts.push(this.sequence());
    return { kind: "choice", parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (this.at < this.source.length && !"|)".includes(this.source.charAt(this.at))) parts.push(this.quantified());
    return { kind: "sequence", parts };
  }

  private quantified(): Node {
    const part = this.atom();
    // Whether as much or as little as possible makes no difference to whether there is a match.
    const quantifier = this.take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (quantifier === undefined) return part;
    const counts = /^\{(\d+)(,?)(\d*)/.exec(quantifier);
    if (counts === null) {
      return { kind: "repeat", part, least: quantifier.startsWith("+") ? 1 : 0, most: quantifier.startsWith("?") ? 1 : Infinity };
    }
    const [, least = "", comma, most] = counts;
    return { kind: "repeat", part, least: Number(least), most: comma === "" ? Number(least) : most === "" ? Infinity : Number(most) };
  }

  private atom(): Node {
    const open = this.take(/\((?:\?:)?/y);
    if (open !== undefined) {
      if (this.source.charAt(this.at) === "?") throw new Unsupported();
      const inner = this.choice();
      this.at += 1;
      return inner;
    }
    const holds = ASSERTIONS[this.take(/\^|\$|\\[bB]/y) ?? ""];
    if (holds !== undefined) return { kind: "assertion", holds };
    const source = this.take(/\[(?:\\[^]|[^\]\\])*\]|\\x[\da-f]{2}|\\u[\da-f]{4}|\\[^\dkcxu]|[^\\]/iy);
    if (source === undefined) throw new Unsupported();
    return { kind: "character", test: characterTest(source.replace(/^[{}\]]$/, "\\$&")) };
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}

/** The states of an expression, from its end to its beginning: each knows what comes after it. */
class Automaton {
  readonly states: State[] = [];
  private parts = 0;

  /** The state that `node`, followed by `next`, begins with. */
  add(node: Node, next: number): number {
    this.parts += 1;
    if (this.parts > MOST_PARTS) throw new Unsupported();
    switch (node.kind) {
      case "sequence":
        return node.parts.reduceRight((after, part) => this.add(part, after), next);
      case "choice":
        return this.push({ kind: "fork", next: node.parts.map((part) => this.add(part, next)) });
      case "repeat":
        return this.repeat(node, next);
      default:
        return this.push({ ...node, next });
    }
  }

  private repeat({ part, least, most }: Node & { readonly kind: "repeat" }, next: number): number {
    let first = next;
    if (most === Infinity) {
      const again = { kind: "fork" as const, next: [next] };
      first = this.push(again);
      again.next.push(this.add(part, first));
    } else {
      for (let i = least; i < most; i++) first = this.push({ kind: "fork", next: [this.add(part, first), next] });
    }
    for (let i = 0; i < least; i++) first = this.add(part, first);
    return first;
  }

  private push(state: State): number {
    return this.states.push(state) - 1;
  }
}

function search(states: readonly State[], start: number, text: string): boolean {
  let waiting: number[] = [];
  for (let at = 0; at <= text.length; at++) {
    // A match may begin anywhere.
    const open = [...waiting, start];
    const seen = new Set<number>();
    waiting = [];
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (place === FOUND) return true;
      const state = states[place];
      if (state === undefined || seen.has(place)) continue;
      seen.add(place);
      if (state.kind === "fork") open.push(...state.next);
      else if (state.kind === "assertion") {
        if (state.holds(text, at)) open.push(state.next);
      } else if (at < text.length && state.test(text.charAt(at))) waiting.push(state.next);
    }
  }
  return false;
}

/**
 * Whether a text holds a match of a regular expression, whatever the case of its letters; null where the
 * expression needs look-arounds, back-references or too many repetitions.
 * @throws SyntaxError where it is no regular expression.
 */
export function compilePattern(source: string): ((text: string) => boolean) | null {
  // For its error: what follows reads correct expressions only.
  new RegExp(source, "i");
  try {
    const automaton = new Automaton();
    const start = automaton.add(new Parser(source).choice(), FOUND);
    return (text) => search(automaton.states, start, text);
  } catch (error) {
    if (error instanceof Unsupported) return null;
    throw error;
  }
}
