// A part of the page whose code comes when it is first shown, so that the first picture does not wait for it.
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../text/table";
import { Failure } from "./failure";

export interface Lazy<P> {
  (props: P): preact.JSX.Element;
  /** Loads the code now; a failure shows when it is needed. */
  preload(): void;
}

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): Lazy<P> {
  const found = signal<ComponentType<P> | null>(null);
  const failed = signal(false);
  let asked = false;
  const ask = (): void => {
    if (asked) return;
    asked = true;
    failed.value = false;
    load().then(
      (component) => (found.value = component),
      () => {
        asked = false;
        failed.value = true;
      },
    );
  };
  const Part = (props: P): preact.JSX.Element => {
    const Found = found.value;
    useEffect(() => {
      // Not again after a failure: that is for whoever reads its sentence.
      if (!failed.peek()) ask();
    }, []);
    if (Found !== null) return <Found {...props} />;
    if (failed.value) return <Failure text={t("partFailed")} retry={ask} />;
    return (
      <p class="placeholder" role="status">
        {t("loading")} …
      </p>
    );
  };
  return Object.assign(Part, { preload: ask });
}
