// The list of keys.
import { useEffect, useRef } from "preact/hooks";
import { capsOf, SHORTCUTS } from "../state/keys";
import { keyText, t } from "../text/table";
import { useApp } from "./context";

export function Help(): preact.JSX.Element | null {
  const { store } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const open = store.helpOpen.value;
  useEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      class="help"
      aria-label={t("helpTitle")}
      data-testid="help"
      onClose={() => {
        store.helpOpen.value = false;
      }}
    >
      <header>
        <h2>{t("helpTitle")}</h2>
        <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
          {t("close")}
        </button>
      </header>
      <dl>
        {SHORTCUTS.map((shortcut) => (
          <div key={shortcut.action}>
            <dt>
              {capsOf(shortcut).map((cap) => (
                <kbd key={cap}>{cap}</kbd>
              ))}
            </dt>
            <dd>{keyText(shortcut.action)}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
