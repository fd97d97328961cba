import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Rest } from "./focus_rest";

let idle: (() => void)[];

beforeEach(() => {
  vi.useFakeTimers();
  let now = 0;
  // A slice has time for one bit of the work.
  vi.spyOn(performance, "now").mockImplementation(() => (now += 10));
  idle = [];
  const deadline = { didTimeout: false, timeRemaining: () => 0 };
  vi.stubGlobal("requestIdleCallback", (run: IdleRequestCallback) => idle.push(() => run(deadline)));
  vi.stubGlobal("cancelIdleCallback", (handle: number) => (idle[handle - 1] = () => undefined));
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** One idle slice. */
const slice = (): void => idle.at(-1)?.();

it("works only once what moved rests, in slices, and is done after the last", () => {
  const rest = new Rest();
  const did: string[] = [];
  const begin = (): (() => boolean) => () => did.push("work") < 3;
  rest.moved(begin, () => did.push("done"));
  vi.advanceTimersByTime(100);
  rest.moved(begin, () => did.push("done"));
  vi.advanceTimersByTime(100);
  expect([rest.moving, idle.length]).toEqual([true, 0]);
  vi.advanceTimersByTime(100);
  slice();
  slice();
  expect([rest.moving, ...did]).toEqual([true, "work", "work"]);
  slice();
  expect([rest.moving, ...did]).toEqual([false, "work", "work", "work", "done"]);
});

it("leaves the work when it moves again, or is disposed", () => {
  const rest = new Rest();
  const did: string[] = [];
  const begin = (): (() => boolean) => () => did.push("work") < 9;
  rest.moved(begin, () => did.push("done"));
  vi.advanceTimersByTime(200);
  slice();
  rest.moved(begin, () => did.push("done"));
  slice();
  expect(did).toEqual(["work"]);
  vi.advanceTimersByTime(200);
  rest.dispose();
  slice();
  expect([rest.moving, ...did]).toEqual([true, "work"]);
});
