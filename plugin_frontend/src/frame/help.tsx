// The list of keys.
import { useEffect, useRef } from "preact/hooks";
import { keyCap, SHORTCUTS } from "../state/keys";
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
        {SHORTCUTS.map(({ keys, action }) => (
          <div key={action}>
            <dt>
              <kbd>{keyCap(keys[keys.length - 1] ?? "")}</kbd>
            </dt>
            <dd>{keyText(action)}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
