// Light or dark: as TensorBoard's page is, else as the system prefers.
import { Disposables } from "../base/disposables";
import { hashWindow } from "../state/hosthash";

const HOST_CLASS = "dark-mode";

/** Calls back with the theme now and whenever it changes. */
export function followTheme(own: Window, set: (dark: boolean) => void): Disposables {
  const life = new Disposables();
  const host = hashWindow(own);
  const preference = own.matchMedia("(prefers-color-scheme: dark)");
  // Only inside TensorBoard does the class decide: there a missing class means light.
  const hosted = host !== own;
  const read = (): void => set(hosted ? host.document.body.classList.contains(HOST_CLASS) : preference.matches);
  if (hosted) {
    const observer = new MutationObserver(read);
    observer.observe(host.document.body, { attributes: true, attributeFilter: ["class"] });
    life.add(() => observer.disconnect());
  }
  life.listen(preference, "change", read);
  read();
  return life;
}
