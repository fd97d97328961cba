import { describe, expect, it, vi } from "vitest";
import { FrameScheduler } from "./frames";

function manual(): { scheduler: FrameScheduler; frame: () => void; requests: () => number } {
  const runs: (() => void)[] = [];
  let count = 0;
  const scheduler = new FrameScheduler((run) => {
    count += 1;
    runs.push(run);
  });
  return { scheduler, frame: () => runs.shift()?.(), requests: () => count };
}

describe("FrameScheduler", () => {
  it("runs work, then draw, then dom, in one frame", () => {
    const { scheduler, frame, requests } = manual();
    const seen: string[] = [];
    scheduler.dom(() => seen.push("dom"));
    scheduler.draw(() => seen.push("draw"));
    scheduler.work(() => seen.push("work"));
    expect(requests()).toBe(1);
    frame();
    expect(seen).toEqual(["work", "draw", "dom"]);
  });

  it("runs a task once that was asked for twice", () => {
    const { scheduler, frame } = manual();
    const task = vi.fn();
    scheduler.draw(task);
    scheduler.draw(task);
    frame();
    expect(task).toHaveBeenCalledTimes(1);
  });

  it("lets work ask for drawing in the same frame, and drawing for more drawing in the next", () => {
    const { scheduler, frame } = manual();
    const seen: string[] = [];
    const later = () => seen.push("later");
    scheduler.work(() => {
      scheduler.draw(() => {
        seen.push("draw");
        scheduler.draw(later);
      });
    });
    frame();
    expect(seen).toEqual(["draw"]);
    frame();
    expect(seen).toEqual(["draw", "later"]);
  });

  it("runs the others when one fails, and drops cancelled ones", () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const { scheduler, frame } = manual();
    const good = vi.fn();
    const cancelled = vi.fn();
    scheduler.draw(() => {
      throw new Error("no");
    });
    scheduler.draw(good);
    scheduler.draw(cancelled);
    scheduler.cancel(cancelled);
    frame();
    expect(good).toHaveBeenCalledOnce();
    expect(cancelled).not.toHaveBeenCalled();
    expect(reported).toHaveBeenCalledOnce();
    vi.unstubAllGlobals();
  });
});
