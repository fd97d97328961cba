// The page itself, put together.
import { render as renderTree } from "preact";
import { whenIdle } from "./base/idle";
import { effect } from "@preact/signals";
import { PluginClient } from "./data/client";
import type { Fetch } from "./data/transport";
import { HeadsClient } from "./data/heads";
import { LensClient } from "./data/lens";
import { MultiplesClient } from "./data/multiples";
import { SimilarClient } from "./data/similar";
import { AppContext } from "./frame/context";
import { Page, preloadViews } from "./frame/app";
import { followHash, hostRuns } from "./frame/hosting";
import { listenToKeys } from "./frame/keyboard";
import { followTheme } from "./frame/theme";
import { VectorsClient } from "./data/vectors";
import { Ahead, type AheadSource } from "./state/ahead";
import { HeadsLoader } from "./state/heads_loader";
import { LensLoader } from "./state/lens_loader";
import { Loader, type Source } from "./state/loader";
import { MultiplesLoader } from "./state/multiples_loader";
import { startPlayer } from "./state/player";
import { SimilarLoader } from "./state/similar_loader";
import { Store, type Saved } from "./state/store";
import { TeachingLoader } from "./state/teaching_loader";
import { initialLanguage, language, t, type Language } from "./text/table";

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

/** What the first picture does not need comes once it is drawn. */
function loadTheRest(store: Store, loader: Loader): void {
  const stop = effect(() => {
    if (loader.opening.value) return;
    // The frame in which it is drawn has to be over.
    requestAnimationFrame(() => setTimeout(() => (store.drawn.value = true)));
    queueMicrotask(() => stop());
    whenIdle(preloadViews, 5000);
  });
}

export interface Mounting {
  /** The page is drawn once it is there. */
  readonly style?: Promise<unknown>;
  readonly fetch?: Fetch;
  /** Of a saved page: what it holds. */
  readonly saved?: Saved & { readonly runOrder: readonly string[]; readonly language?: Language };
}

/** Builds the page on a source of data: TensorBoard's answers, a fixture's, or what a file holds. */
export async function mount(source: Source & AheadSource, base: URL, { style, fetch, saved }: Mounting = {}): Promise<void> {
  const store = new Store();
  language.value = saved?.language ?? initialLanguage(storedLanguage(), navigator.languages);
  if (saved === undefined) void hostRuns(base, fetch).then((runs) => (store.hostOrder.value = runs));
  else {
    store.saved.value = saved;
    store.hostOrder.value = saved.runOrder;
  }
  describePage(store);
  followTheme(window, (dark) => (store.dark.value = dark));
  followHash(window, store);
  const loader = new Loader(source, store);
  loader.start();
  const heads = new HeadsLoader(new HeadsClient(base, fetch), store, loader);
  heads.start();
  const teaching = new TeachingLoader(new VectorsClient(base, fetch), store, loader);
  teaching.start();
  const lens = new LensLoader(new LensClient(base, fetch), store, loader);
  lens.start();
  const similar = new SimilarLoader(new SimilarClient(base, fetch), store, loader);
  similar.start();
  const multiples = new MultiplesLoader(new MultiplesClient(base, fetch));
  const ahead = new Ahead(source, store, loader);
  ahead.start();
  startPlayer(store, loader, ahead);
  loadTheRest(store, loader);
  listenToKeys(window, store);
  await style;
  const root = document.createElement("div");
  root.id = "llmdebug";
  document.body.append(root);
  renderTree(
    <AppContext.Provider value={{ store, loader, heads, teaching, lens, multiples, similar, base: saved === undefined ? base : null }}>
      <Page />
    </AppContext.Provider>,
    root,
  );
  // The keys work at once: whoever opened this tab means it.
  window.focus();
}

/** What was asked for before this module was here, by address. */
export type Early = ReadonlyMap<string, Promise<Response>>;

/** The page in TensorBoard; each of the early answers is good once. */
export async function open(base: URL, early: Early, style: Promise<void>): Promise<void> {
  const left = new Map(early);
  const fetch: Fetch = (url, init) => {
    const answer = left.get(url);
    left.delete(url);
    return answer ?? globalThis.fetch(url, init);
  };
  await mount(new PluginClient({ base, fetch }), base, { style, fetch });
}
