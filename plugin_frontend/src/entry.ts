// The entry that TensorBoard imports into a blank page. Small, so that all that the first picture needs is on
// its way, the index, the decoder and the style, while the page's own code is still being loaded.
import styleUrl from "./style/main.css?url";

const base = new URL("./", import.meta.url);

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

/** Whoever takes the worker over later has to know if it has failed before. */
function startWorker(): () => Worker {
  const worker = new Worker(new URL("./data/decode.worker.ts", import.meta.url), { type: "module", name: "llmdebug-decode" });
  let failed = false;
  worker.onerror = (event) => {
    event.preventDefault();
    failed = true;
  };
  return () => {
    if (failed) throw new Error("The decoder's worker did not start.");
    return worker;
  };
}

function askIndex(): { readonly url: string; readonly answer: Promise<Response> } {
  const url = new URL("index", base).href;
  const answer = fetch(url, { credentials: "same-origin" });
  // Told where it is awaited.
  answer.catch(() => undefined);
  return { url, answer };
}

// The table of strings comes with the page, which did not.
const FAILED = {
  en: "The page could not be loaded: reload it, and restart TensorBoard if tb_llmdebug was updated meanwhile.",
  zh: "页面无法加载：请重新加载；如果期间更新过 tb_llmdebug，请重启 TensorBoard。",
} as const;

function sayFailed(): void {
  const sentence = document.createElement("p");
  sentence.setAttribute("role", "alert");
  sentence.textContent = navigator.language.startsWith("zh") ? FAILED.zh : FAILED.en;
  document.body.append(sentence);
}

/** Called by TensorBoard once it has imported this module. */
export async function render(): Promise<void> {
  const early = { base, index: askIndex(), style: addStyle(), worker: startWorker() };
  try {
    const { open } = await import("./main");
    await open(early);
  } catch (error) {
    sayFailed();
    throw error;
  }
}
