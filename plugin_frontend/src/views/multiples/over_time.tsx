// Shows or hides the head in focus over time.
import { useApp } from "../../frame/context";
import { t } from "../../text/table";

export function OverTime(): preact.JSX.Element {
  const { store } = useApp();
  const { on } = store.selection.value.multiples;
  return (
    <button type="button" aria-pressed={on} title={`${t("overTimeTitle")}  O`} data-testid="over-time" onClick={() => store.update({ multiples: { on: !on } })}>
      {t("overTime")}
    </button>
  );
}
