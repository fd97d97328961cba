// One question with two answers, over the page.
import { useEffect, useRef } from "preact/hooks";
import { t } from "../text/table";
import { useApp } from "./context";

export function Ask(): preact.JSX.Element {
  const { store } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const question = store.question.value;
  useEffect(() => {
    if (question !== null && dialog.current?.open === false) dialog.current.showModal();
  }, [question]);
  const answer = (yes: boolean): void => {
    question?.answer(yes);
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} class="help ask" aria-label={question?.text ?? ""} data-testid="ask" onClose={() => question?.answer(false)}>
      <p dir="auto">{question?.text}</p>
      <p class="answers">
        <button type="button" onClick={() => answer(false)}>{t("cancel")}</button>
        <button type="button" data-testid="ask-yes" onClick={() => answer(true)}>{t("saveAnyway")}</button>
      </p>
    </dialog>
  );
}
