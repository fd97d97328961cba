// The entry that TensorBoard imports into a blank page.
import { render as renderTree } from "preact";
import { effect } from "@preact/signals";
import { PluginClient } from "./data/client";
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
import styleUrl from "./style/main.css?url";
import { initialLanguage, language, t } from "./text/table";

function addStyle(): Promise<void> {
  return new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL(styleUrl, import.meta.url).href;
    // Drawn even if the style does not come: a plain page is better than none.
    link.onload = link.onerror = () => resolve();
    document.head.append(link);
  });
}

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

/** Builds the page on a source of data; TensorBoard's answers, or a fixture's. */
export async function mount(source: Source, base: URL): Promise<void> {
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
  await addStyle();
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

/** Called by TensorBoard once it has imported this module. */
export async function render(): Promise<void> {
  const base = new URL("./", import.meta.url);
  await mount(new PluginClient({ base }), base);
}
