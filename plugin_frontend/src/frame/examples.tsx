// The logged examples, named by how their text begins.
import { useRef } from "preact/hooks";
import { elide, tokenGlyphs } from "../base/tokens";
import { Kind, type TokenList } from "../data/types";
import { dependOn } from "../state/depend";
import { mapRef, recordAt } from "../state/resolve";
import { t } from "../text/table";
import { useApp } from "./context";

const PREVIEW_TOKENS = 24;
const PREVIEW_LENGTH = 34;
const SHOWN = 100;

/** The beginning of a text as running text: padding left out, pieces of one character counted once. */
export function previewOf(tokens: TokenList, mask: Uint8Array | null): string {
  let text = "";
  let taken = 0;
  for (let i = 0; i < tokens.text.length && taken < PREVIEW_TOKENS; i++) {
    const piece = tokens.text[i] ?? "";
    const later = (tokens.parts[i] ?? 0) > 1 && (tokens.part[i] ?? 1) > 1;
    if (later || (mask !== null && mask[i] === 0)) continue;
    text += piece;
    taken += 1;
  }
  const plain = Array.from(text.replace(/\s+/g, " ").trim(), (one) => (one === " " ? one : tokenGlyphs(one)));
  return elide(plain.join(""), PREVIEW_LENGTH);
}

export function ExampleList(): preact.JSX.Element | null {
  const { store, loader } = useApp();
  // Probes have the same text at every step, so the name stays while another step is loading.
  const previews = useRef(new Map<string, string>());
  const { examples, example, run, name, step } = store.resolved.value;
  // Read so that the list is drawn again when pictures (and with them tokens) have come in.
  dependOn(loader.pictures.value, loader.previews.value);
  if (examples === 0) return null;
  const record =
    run === null ? undefined : recordAt(store.index.value, store.selection.value, run, Kind.ATTENTION, name, step);
  const preview = (which: number): string => {
    if (record === undefined) return "";
    const known = `${record.run}/${name ?? ""}.${which}`;
    const overview = loader.cached(mapRef(record, which));
    const tokens = overview?.keyTokens ?? overview?.queryTokens ?? null;
    if (tokens !== null) previews.current.set(known, previewOf(tokens, overview?.keyMask ?? null));
    return previews.current.get(known) ?? "";
  };
  return (
    <section aria-labelledby="rail-examples">
      <h2 id="rail-examples">{t("examples")}</h2>
      <ol class="names" data-testid="examples">
        {Array.from({ length: Math.min(examples, SHOWN) }, (_, which) => (
          <li key={which}>
            <button
              type="button"
              class="name"
              aria-pressed={which === example}
              data-chosen={which === example}
              aria-label={`${t("exampleNumber", { n: which })} ${preview(which)}`.trim()}
              onClick={() => store.update({ example: which, query: null, key: null })}
            >
              <span class="muted">{which}</span>
              <bdi>{preview(which)}</bdi>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
