// The page: rail, tabs, the view in front, scrubber.
import { holdsData } from "../state/catalog";
import { t } from "../text/table";
import { AttentionView, preloadParts } from "../views/attention";
import { Ask } from "./ask";
import { useApp } from "./context";
import { EmptyPage } from "./empty";
import { preloadMenu } from "./export_button";
import { Failure, FailureGuard } from "./failure";
import { Help } from "./help";
import { lazy } from "./lazy";
import { Notices, Toast } from "./notices";
import { Rail } from "./rail";
import { Scrubber } from "./scrubber";
import { TopBar } from "./topbar";

const HeadsView = lazy(async () => (await import("../views/heads/view")).HeadsView);
const AttributionsView = lazy(async () => (await import("../views/attributions")).AttributionsView);
const AnomaliesView = lazy(async () => (await import("../views/anomalies")).AnomaliesView);

/** The code of the views that are not in front, and of what opens with a key, so that it opens at once. */
export function preloadViews(): void {
  preloadParts();
  preloadMenu();
  for (const view of [HeadsView, AttributionsView, AnomaliesView]) view.preload();
}

function View(): preact.JSX.Element {
  const { store } = useApp();
  switch (store.resolved.value.view) {
    case "attention":
      return <AttentionView />;
    case "heads":
      return <HeadsView />;
    case "attributions":
      return <AttributionsView />;
    case "anomalies":
      return <AnomaliesView />;
  }
}

function Waiting(): preact.JSX.Element {
  const { store, loader } = useApp();
  const error = store.indexError.value;
  if (error !== null && !store.loaded.value) {
    return <Failure text={t("indexFailed", { reason: error })} retry={() => loader.retry()} />;
  }
  return (
    <p class="placeholder" role="status">
      {t(store.loaded.value ? "scanning" : "loading")} …
    </p>
  );
}

export function Page(): preact.JSX.Element {
  const { store, loader } = useApp();
  const index = store.index.value;
  if (!index.runs.some(holdsData)) {
    const waiting = !store.loaded.value || index.scanning;
    return (
      <main class="page bare" data-testid="page">
        {waiting && <h1 class="visually-hidden">{t("title")}</h1>}
        <Notices />
        {waiting ? <Waiting /> : <EmptyPage />}
      </main>
    );
  }
  const { view, name } = store.resolved.value;
  return (
    <div class="page" data-testid="page">
      <Rail />
      <TopBar />
      <main class="view">
        <Notices />
        <div id="view" role="tabpanel" aria-labelledby={`tab-${view}`} data-testid="view" data-view={view}>
          <FailureGuard resetKey={`${view} ${name ?? ""} ${loader.attempt.value}`}>
            <View />
          </FailureGuard>
        </div>
      </main>
      <Scrubber />
      <Help />
      <Ask />
      <Toast />
    </div>
  );
}
