// The entry that TensorBoard imports into a blank page. Small, so that the index and the style are on their
// way while the page's own code is still being loaded.
import pageUrl from "virtual:page";
import type { Early } from "./main";
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

function askEarly(): Early {
  // TensorBoard's list of runs comes from a process of its own and takes its time.
  const urls = ["index", "../../runs"].map((path) => new URL(path, base).href);
  return new Map(
    urls.map((url) => {
      const answer = fetch(url, { credentials: "same-origin" }).then(
        // Read at once, too.
        async (response) => new Response(await response.arrayBuffer(), response),
      );
      // Told where it is awaited.
      answer.catch(() => undefined);
      return [url, answer];
    }),
  );
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
  const early = askEarly();
  const style = addStyle();
  try {
    const { open } = (await import(/* @vite-ignore */ pageUrl)) as typeof import("./main");
    await open(base, early, style);
  } catch (error) {
    sayFailed();
    throw error;
  }
}
