import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { whenIdle, whileIdle } from "./idle";

let waiting: Map<number, IdleRequestCallback>;
let patience: (number | undefined)[];
let now = 0;

beforeEach(() => {
  waiting = new Map();
  [patience, now] = [[], 0];
  vi.stubGlobal("requestIdleCallback", (run: IdleRequestCallback, options?: IdleRequestOptions) => {
    waiting.set(patience.push(options?.timeout), run);
    return patience.length;
  });
  vi.stubGlobal("cancelIdleCallback", (handle: number) => waiting.delete(handle));
  vi.spyOn(performance, "now").mockImplementation(() => now);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** The page is idle for so many milliseconds. */
function idle(ms: number): void {
  for (const [handle, run] of [...waiting]) {
    waiting.delete(handle);
    run({ didTimeout: ms === 0, timeRemaining: () => ms });
  }
}

/** Each step takes a millisecond. */
function work(steps: number): { readonly done: () => number; readonly goOn: () => boolean } {
  let done = 0;
  return { done: () => done, goOn: () => ((now += 1), (done += 1) < steps) };
}

it("does what there is time for, goes on when there is time again, and ends", () => {
  const { done, goOn } = work(30);
  whileIdle(goOn);
  expect(done()).toBe(0);
  idle(21);
  expect(done()).toBe(20);
  idle(21);
  expect([done(), waiting.size]).toEqual([30, 0]);
});

it("gets on, in short slices, on a page that is never idle", () => {
  const { done, goOn } = work(30);
  const stop = whileIdle(goOn);
  idle(0);
  idle(0);
  expect(done()).toBe(8);
  expect(patience).toEqual([50, 50, 50]);
  stop();
});

it("does what is only ahead after what somebody waits for, also where that is given up", () => {
  const [ahead, awaited, given] = [work(10), work(10), work(10)];
  whileIdle(ahead.goOn, true);
  whileIdle(awaited.goOn);
  const stop = whileIdle(given.goOn);
  idle(6);
  expect([ahead.done(), awaited.done(), given.done()]).toEqual([0, 5, 5]);
  stop();
  stop();
  idle(6);
  idle(6);
  expect([ahead.done(), awaited.done(), given.done()]).toEqual([5, 10, 5]);
  idle(20);
  expect([ahead.done(), waiting.size]).toEqual([10, 0]);
});

it("leaves the page to the reader again soon, however long it is idle", () => {
  const { done, goOn } = work(100);
  const stop = whileIdle(goOn);
  idle(1000);
  expect(done()).toBe(20);
  stop();
});

it("is ended from outside, also in the middle", () => {
  const { done, goOn } = work(30);
  const stop = whileIdle(goOn);
  idle(5);
  stop();
  idle(50);
  expect([done(), waiting.size]).toEqual([4, 0]);
});

it("gets on in a browser that does not say when it is idle, and is ended there too", () => {
  vi.stubGlobal("requestIdleCallback", undefined);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { done, goOn } = work(30);
  whileIdle(goOn);
  vi.advanceTimersByTime(16);
  expect(done()).toBe(4);
  vi.advanceTimersByTime(1000);
  expect(done()).toBe(30);
  const run = vi.fn();
  whenIdle(run, 2000)();
  vi.advanceTimersByTime(5000);
  expect(run).not.toHaveBeenCalled();
  vi.useRealTimers();
});
