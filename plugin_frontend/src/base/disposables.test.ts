import { expect, it } from "vitest";
import { Disposables } from "./disposables";

it("undoes each once, last first, and at once when too late", () => {
  const seen: string[] = [];
  const disposables = new Disposables();
  disposables.add(() => seen.push("first"));
  disposables.add({ dispose: () => seen.push("second") });
  disposables.dispose();
  disposables.dispose();
  disposables.add(() => seen.push("late"));
  expect(seen).toEqual(["second", "first", "late"]);
});

it("removes listeners", () => {
  const target = new EventTarget();
  let count = 0;
  const disposables = new Disposables();
  disposables.listen(target, "ping", () => (count += 1));
  target.dispatchEvent(new Event("ping"));
  disposables.dispose();
  target.dispatchEvent(new Event("ping"));
  expect(count).toBe(1);
});
