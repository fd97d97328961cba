// An empty log directory: the three lines of code that would fill it, whole, for they are pasted.
import { t } from "../text/table";

const EXAMPLE = `import tb_llmdebug as llmdebug
writer = llmdebug.Writer("logs/finetune")
llmdebug.log_attention("decoder", out.attentions, tokens=tokens, step=step, writer=writer)`;

export function EmptyPage(): preact.JSX.Element {
  return (
    <section class="empty" data-testid="empty">
      <h1>{t("emptyTitle")}</h1>
      <p>{t("emptyBody")}</p>
      <pre dir="ltr" tabIndex={0}>
        <code>{EXAMPLE}</code>
      </pre>
      <p class="muted">{t("emptyHint")}</p>
    </section>
  );
}
