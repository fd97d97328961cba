// Opens the menu that saves what is on screen.
import { useEffect, useRef } from "preact/hooks";
import { t } from "../text/table";
import { useApp } from "./context";
import { lazy } from "./lazy";

const Menu = lazy(async () => (await import("./export_menu")).Menu);

export function preloadMenu(): void {
  Menu.preload();
}

export function ExportMenu(): preact.JSX.Element {
  const { store } = useApp();
  const open = store.exportOpen.value;
  const button = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    // Closed by a key of the page: the focus must not be lost.
    if (wasOpen.current && !open && document.activeElement === document.body) button.current?.focus();
    wasOpen.current = open;
  }, [open]);
  const close = (back: boolean): void => {
    store.exportOpen.value = false;
    if (back) button.current?.focus();
  };
  return (
    <span class="menu-host" data-export>
      <button ref={button} type="button" class="quiet" aria-haspopup="menu" aria-expanded={open} data-testid="export"
        title={`${t("exportTitle")}  E`} onClick={() => (store.exportOpen.value = !open)}>
        {t("exportMenu")}
      </button>
      {open && <Menu close={close} />}
    </span>
  );
}
