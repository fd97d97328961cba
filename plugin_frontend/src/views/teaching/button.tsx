// Opens and closes the explanation of one row.
import { useApp } from "../../frame/context";
import { toggleTeaching } from "../../state/teaching_moves";
import { t } from "../../text/table";

export function TeachButton(): preact.JSX.Element {
  const { store } = useApp();
  const open = store.selection.value.teaching.step !== null;
  return (
    <button
      type="button"
      aria-pressed={open}
      aria-keyshortcuts="q"
      title={`${t("teachTitle")} (Q)`}
      data-testid="teach"
      onClick={() => toggleTeaching(store)}
    >
      {t("teach")}
    </button>
  );
}
