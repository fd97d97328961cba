// The logged examples, named by how their text begins.
import { elide, tokenGlyphs } from "../base/tokens";
import type { TokenList } from "../data/types";
import { dependOn } from "../state/depend";
import { t } from "../text/table";
import { useApp, type App } from "./context";
import { useResting } from "./resting";

const PREVIEW_TOKENS = 24;
const PREVIEW_LENGTH = 34;
const SHOWN = 100;

/** The beginning of a text as running text: padding left out (without a mask: special tokens), pieces of one character counted once. */
export function beginningOf(tokens: TokenList, mask: Uint8Array | null): string {
  let text = "";
  let taken = 0;
  for (let i = 0; i < tokens.text.length && taken < PREVIEW_TOKENS; i++) {
    const piece = tokens.text[i] ?? "";
    const later = (tokens.parts[i] ?? 0) > 1 && (tokens.part[i] ?? 1) > 1;
    const left = mask === null ? tokens.special[i] === 1 : mask[i] === 0;
    if (later || left) continue;
    text += piece.slice(0, PREVIEW_LENGTH * 16); // a token may have a million letters
    taken += 1;
  }
  const plain = Array.from(text.replace(/\s+/g, " ").trim(), (one) => (one === " " ? one : tokenGlyphs(one)));
  return elide(plain.join(""), PREVIEW_LENGTH);
}

/** How an example begins, as far as that is known. */
export function previewOf({ store, loader }: App, which: number): string {
  if (store.saved.value !== null) return store.saved.value.preview;
  const text = loader.exampleText(which);
  return text === undefined || text.tokens === null ? "" : beginningOf(text.tokens, text.mask);
}

interface RowProps {
  readonly which: number;
  readonly preview: string;
}

function ExampleRow({ which, preview }: RowProps): preact.JSX.Element {
  const { store } = useApp();
  const chosen = which === store.settled.value.example;
  const resting = useResting({ example: which });
  return (
    <li>
      <button
        type="button"
        class="name"
        {...resting}
        aria-pressed={chosen}
        data-chosen={chosen}
        data-preview={!chosen && store.hover.value.example === which}
        aria-label={`${t("exampleNumber", { n: which })} ${preview}`.trim()}
        onClick={() => store.update({ example: which, query: null, key: null })}
      >
        <span class="muted">{which}</span>
        <bdi>{preview}</bdi>
      </button>
    </li>
  );
}

export function ExampleList(): preact.JSX.Element | null {
  const app = useApp();
  const { store, loader } = app;
  const examples = store.examples.value;
  // Read so that the list is drawn again when pictures (and with them tokens) have come in.
  dependOn(loader.pictures.value, loader.previews.value);
  if (examples.length === 0) return null;
  return (
    <section aria-labelledby="rail-examples">
      <h2 id="rail-examples">{t("examples")}</h2>
      <ol class="names" data-testid="examples">
        {examples.slice(0, SHOWN).map((which) => (
          <ExampleRow key={which} which={which} preview={previewOf(app, which)} />
        ))}
      </ol>
    </section>
  );
}
