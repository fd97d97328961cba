// Tabs of the views, and what concerns the whole page: link, language, keys.
import { currentLink } from "../state/hosthash";
import { language, t } from "../text/table";
import { useApp } from "./context";
import { ExportMenu } from "./export_button";
import { VIEW_TITLE } from "./view_title";
import { Severity } from "../data/types";
import { countOf } from "../state/anomalies";

const LANGUAGE_STORE = "llmdebug.language";

async function copyLink(show: (text: string) => void): Promise<void> {
  const link = currentLink(window);
  try {
    await navigator.clipboard.writeText(link);
    show(t("copied"));
  } catch {
    // No clipboard on plain http: the reader copies it from the message.
    show(t("copyFailed", { link }));
  }
}

function Tabs(): preact.JSX.Element {
  const { store, loader } = useApp();
  const { views, view } = store.resolved.value;
  const move = (event: KeyboardEvent): void => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = views[(views.indexOf(view) + by + views.length) % views.length];
    if (by === 0 || next === undefined) return;
    event.preventDefault();
    store.update({ view: next });
    document.getElementById(`tab-${next}`)?.focus();
  };
  const flags = loader.anomalies.value.value ?? [];
  const errors = countOf(flags, Severity.ERROR);
  return (
    <div class="tabs" role="tablist" aria-label={t("views")} onKeyDown={move}>
      {views.map((name) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          role="tab"
          aria-selected={name === view}
          aria-controls="view"
          tabIndex={name === view ? 0 : -1}
          data-testid={`tab-${name}`}
          onClick={() => store.update({ view: name })}
        >
          {t(VIEW_TITLE[name])}
          {name === "anomalies" && flags.length > 0 && (
            <span class={errors > 0 ? "count error" : "count"}>{flags.length}</span>
          )}
        </button>
      ))}
    </div>
  );
}

export function TopBar(): preact.JSX.Element {
  const { store, loader } = useApp();
  const busy = loader.pictures.value.busy || loader.attributions.value.busy;
  const switchLanguage = (): void => {
    language.value = language.value === "en" ? "zh" : "en";
    try {
      localStorage.setItem(LANGUAGE_STORE, language.value);
    } catch {
      // Storage may be forbidden; the choice then lasts as long as the page.
    }
  };
  return (
    <header class="topbar">
      <h1 class="visually-hidden">{t("title")}</h1>
      <Tabs />
      <span class="busy" data-busy={busy} aria-hidden="true" />
      <div class="spacer" />
      <ExportMenu />
      <button
        type="button"
        class="quiet"
        data-testid="copy-link"
        onClick={() => void copyLink((text) => (store.toast.value = text))}
      >
        {t("copyLink")}
      </button>
      <button type="button" class="quiet" lang={language.value === "en" ? "zh" : "en"} onClick={switchLanguage}
        title={t("languageLabel")} data-testid="language">
        {t("language")}
      </button>
      <button
        type="button"
        class="quiet"
        aria-haspopup="dialog"
        data-testid="help-button"
        onClick={() => (store.helpOpen.value = true)}
      >
        {t("help")} <kbd>?</kbd>
      </button>
    </header>
  );
}
