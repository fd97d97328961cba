// Long lists of heads: the first of them, and a button that brings the rest.
import { useState } from "preact/hooks";
import { formatCount } from "../../base/format";
import { t } from "../../text/table";

const FIRST = 400;

/** The rows to show, and the button where there are more. */
export function useFirst<T>(all: readonly T[]): [readonly T[], preact.JSX.Element | null] {
  const [every, setEvery] = useState(false);
  if (every || all.length <= FIRST) return [all, null];
  const more = (
    <button type="button" data-testid="show-every" onClick={() => setEvery(true)}>
      {t("changesEvery", { shown: formatCount(FIRST), n: formatCount(all.length) })}
    </button>
  );
  return [all.slice(0, FIRST), more];
}
