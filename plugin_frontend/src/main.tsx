// The page itself, put together.
import { render as renderTree } from "preact";
import { effect } from "@preact/signals";
import { PluginClient } from "./data/client";
import { AutoDecoder } from "./data/decoder";
import type { Fetch } from "./data/transport";
import { HeadsClient } from "./data/heads";
import { AppContext } from "./frame/context";
import { Page } from "./frame/app";
import { followHash, hostRuns } from "./frame/hosting";
import { listenToKeys } from "./frame/keyboard";
import { followTheme } from "./frame/theme";
import { HeadsLoader } from "./state/heads_loader";
import { Loader, type Source } from "./state/loader";
import { startPlayer } from "./state/player";
import { Store } from "./state/store";
import { initialLanguage, language, t } from "./text/table";

function storedLanguage(): string | null {
  try {
    return localStorage.getItem("llmdebug.language");
  } catch {
    return null;
  }
}

function describePage(store: Store): void {
  effect(() => {
    document.documentElement.lang = language.value;
    document.title = t("title");
    // TensorBoard gives its frame no name, and a screen reader would read the address.
    window.frameElement?.setAttribute("title", t("title"));
  });
  effect(() => {
    document.documentElement.dataset["theme"] = store.dark.value ? "dark" : "light";
  });
}

/** Builds the page on a source of data, TensorBoard's answers or a fixture's, once its style is there. */
export async function mount(source: Source, base: URL, style: Promise<unknown> = Promise.resolve()): Promise<void> {
  const store = new Store();
  language.value = initialLanguage(storedLanguage(), navigator.languages);
  describePage(store);
  followTheme(window, (dark) => (store.dark.value = dark));
  followHash(window, store);
  const loader = new Loader(source, store);
  loader.start();
  const heads = new HeadsLoader(new HeadsClient(base), store, loader);
  heads.start();
  startPlayer(store, loader);
  listenToKeys(window, store);
  void hostRuns(base).then((runs) => (store.hostOrder.value = runs));
  await style;
  const root = document.createElement("div");
  root.id = "llmdebug";
  document.body.append(root);
  renderTree(
    <AppContext.Provider value={{ store, loader, heads }}>
      <Page />
    </AppContext.Provider>,
    root,
  );
  // The keys work at once: whoever opened this tab means it.
  window.focus();
}

/** What was asked for before this module was here. */
export interface Early {
  readonly base: URL;
  readonly style: Promise<void>;
  /** Throws if it has stopped already. */
  readonly worker: () => Worker;
  readonly index: { readonly url: string; readonly answer: Promise<Response> };
}

export async function open({ base, style, worker, index }: Early): Promise<void> {
  let first: Promise<Response> | null = index.answer;
  const fetch: Fetch = (url, init) => {
    const early = url === index.url ? first : null;
    if (url === index.url) first = null;
    return early ?? globalThis.fetch(url, init);
  };
  await mount(new PluginClient({ base, fetch, decoder: new AutoDecoder(worker) }), base, style);
}
