// The menu that saves what is on screen: a row per picture or table, a button per format.
import { useEffect, useRef } from "preact/hooks";
import { formatsOf, sections, type Exportable, type Format, type Section } from "../exports/registry";
import type { Store } from "../state/store";
import { t, type TextKey } from "../text/table";
import { useApp } from "./context";

const SECTION: Readonly<Record<Section, TextKey>> = {
  focus: "exportFocus",
  grid: "exportGrid",
  strips: "exportStrips",
  table: "exportTable",
};

const FORMAT: Readonly<Record<Format, TextKey>> = {
  png: "exportPng",
  svg: "exportSvg",
  csv: "exportCsv",
  npy: "exportNpy",
};

async function save(store: Store, id: string, format: Format): Promise<void> {
  // What is shown may have changed since the menu was drawn.
  const entry = store.onScreen.list().find((one) => one.id === id);
  if (entry === undefined) return;
  try {
    // Loaded when it is wanted: few visits save anything.
    const { saveAs } = await import("../exports/save");
    store.toast.value = t("exportSaved", { name: await saveAs(entry, format) });
  } catch (error) {
    store.toast.value = t("exportFailed", { reason: error instanceof Error ? error.message : String(error) });
  }
}

/** The place that an arrow key leads to in rows of buttons. */
export function menuPlace(lengths: readonly number[], at: readonly [number, number], key: string): readonly [number, number] | undefined {
  const [row, column] = at;
  const rows = lengths.length;
  const clampTo = (line: number, wanted: number): readonly [number, number] => [line, Math.min(Math.max(0, wanted), (lengths[line] ?? 1) - 1)];
  switch (key) {
    case "ArrowDown":
      return clampTo((row + 1) % rows, column);
    case "ArrowUp":
      return clampTo((row + rows - 1) % rows, column);
    case "ArrowRight":
      return clampTo(row, column + 1);
    case "ArrowLeft":
      return clampTo(row, column - 1);
    case "Home":
      return [0, 0];
    case "End":
      return clampTo(rows - 1, Infinity);
    default:
      return undefined;
  }
}

function rowsOf(menu: HTMLElement): HTMLElement[][] {
  return Array.from(menu.querySelectorAll("[data-menu-row]"), (row) => Array.from(row.querySelectorAll<HTMLElement>("[role^=menuitem]")));
}

function walk(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const rows = rowsOf(event.currentTarget);
  const row = rows.findIndex((items) => items.some((item) => item === document.activeElement));
  const column = rows[row]?.findIndex((item) => item === document.activeElement) ?? -1;
  const next = menuPlace(rows.map((items) => items.length), [Math.max(0, row), Math.max(0, column)], event.key);
  // Space and Enter press the button; no other key is the page's while the menu is open.
  event.stopPropagation();
  if (next === undefined) return;
  event.preventDefault();
  rows[next[0]]?.[next[1]]?.focus();
}

interface RowProps {
  readonly entry: Exportable;
  readonly close: () => void;
}

function Row({ entry, close }: RowProps): preact.JSX.Element {
  const { store } = useApp();
  return (
    <div class="menu-row" role="group" data-menu-row aria-label={entry.title}>
      <bdi title={entry.title}>{entry.title}</bdi>
      <span class="formats">
        {formatsOf(entry).map((format) => (
          <button key={format} type="button" role="menuitem" tabIndex={-1} title={t(FORMAT[format], { axes: entry.array?.axes ?? "" })}
            aria-label={t("exportAs", { what: entry.title, format: format.toUpperCase() })}
            data-testid={`export-${entry.section}-${format}`}
            onClick={() => {
              close();
              void save(store, entry.id, format);
            }}>
            {format.toUpperCase()}
          </button>
        ))}
      </span>
    </div>
  );
}

/** The whole view as one file, once there is something to see. */
function PageRow({ close }: { readonly close: () => void }): preact.JSX.Element | null {
  const { store } = useApp();
  const { view } = store.resolved.value;
  const maps = store.panels.value.some(({ record }) => record !== undefined);
  if (view === "attention" ? !maps : store.onScreen.list().length === 0) return null;
  return (
    <div class="menu-section" role="group" aria-label={t("exportPage")} data-testid="export-page">
      <p class="menu-title" aria-hidden="true">{t("exportPage")}</p>
      <PageButton what={t(view === "attention" ? "pageMaps" : "pageView")} close={close} />
    </div>
  );
}

function PageButton({ what, close }: { readonly what: string; readonly close: () => void }): preact.JSX.Element {
  const app = useApp();
  return (
    <div class="menu-row" data-menu-row role="group" aria-label={what}>
      <bdi>{what}</bdi>
      <span class="formats">
        <button type="button" role="menuitem" tabIndex={-1} title={t("exportHtml")} data-testid="export-page-html"
          aria-label={t("exportAs", { what, format: "HTML" })}
          onClick={() => {
            close();
            void import("./save_page").then(({ savePage }) => savePage(app));
          }}>
          HTML
        </button>
      </span>
    </div>
  );
}

export function Menu({ close }: { readonly close: (back: boolean) => void }): preact.JSX.Element {
  const { store, base } = useApp();
  const menu = useRef<HTMLDivElement>(null);
  const entries = store.onScreen.list();
  useEffect(() => {
    menu.current?.querySelector<HTMLElement>("[role^=menuitem]")?.focus();
    const outside = (event: Event): void => {
      const inside = event.target instanceof Element && event.target.closest("[data-export]") !== null;
      if (!inside) close(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, []);
  return (
    <div ref={menu} class="menu" role="menu" aria-label={t("exportTitle")} data-testid="export-menu"
      onKeyDown={(event) => {
        if (event.key === "Escape" || event.key === "Tab") {
          event.stopPropagation();
          if (event.key === "Escape") event.preventDefault();
          close(true);
        } else walk(event);
      }}>
      {entries.length === 0 && <p class="muted">{t("exportNothing")}</p>}
      {sections.map((section) => {
        const own = entries.filter((entry) => entry.section === section);
        return own.length === 0 ? null : (
          <div key={section} role="group" aria-label={t(SECTION[section])} class="menu-section">
            <p class="menu-title" aria-hidden="true">{t(SECTION[section])}</p>
            {own.map((entry) => <Row key={entry.id} entry={entry} close={() => close(true)} />)}
          </div>
        );
      })}
      {base !== null && <PageRow close={() => close(true)} />}
      {store.dark.value && (
        <div data-menu-row class="menu-section">
          <button type="button" role="menuitemcheckbox" tabIndex={-1} aria-checked={store.exportLight.value} data-testid="export-light"
            onClick={() => (store.exportLight.value = !store.exportLight.value)}>
            <span aria-hidden="true">{store.exportLight.value ? "☑" : "☐"}</span> {t("exportLight")}
          </button>
        </div>
      )}
    </div>
  );
}
