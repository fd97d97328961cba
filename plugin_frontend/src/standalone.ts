// The entry of a saved page: one inline script, no server, no worker.
import style from "./style/main.css?inline";
import { replay } from "./data/answers";
import { ArchiveSource, nowhere, type Archive } from "./data/archive";
import { fromBase64, gunzip, unpack } from "./data/pack";
import { openingHash } from "./frame/save_page";
import { mount } from "./main";
import { replaceHash } from "./state/hosthash";
import { VIEW_NAMES } from "./state/selection";
import { isLanguage, t } from "./text/table";

async function read(): Promise<Archive> {
  const element = document.getElementById("llmdebug-data");
  // The page itself made it: its shape is that of the version it says.
  const archive = unpack(await gunzip(fromBase64(element?.textContent ?? ""))) as Archive;
  element?.remove();
  // Read as text, for the file may be of another version than its type says.
  if (String(archive.version) !== "1") throw new RangeError(t("otherVersion"));
  return archive;
}

function addStyle(): void {
  const element = document.createElement("style");
  element.textContent = style;
  document.head.append(element);
}

function fail(error: unknown): void {
  const sentence = document.createElement("p");
  sentence.setAttribute("role", "alert");
  sentence.textContent = error instanceof Error ? error.message : String(error);
  document.body.append(sentence);
}

async function start(): Promise<void> {
  addStyle();
  const archive = await read();
  replaceHash(window, openingHash(window, archive));
  await mount(new ArchiveSource(archive), nowhere, {
    fetch: replay(nowhere, archive.answers),
    saved: {
      title: archive.title,
      when: archive.saved,
      view: VIEW_NAMES.find((name) => name === archive.view) ?? "attention",
      example: archive.example,
      preview: archive.preview,
      runOrder: archive.runOrder,
      ...(isLanguage(archive.language) ? { language: archive.language } : {}),
    },
  });
}

start().catch(fail);
