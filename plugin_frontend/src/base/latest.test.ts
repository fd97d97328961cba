import { describe, expect, it } from "vitest";
import { Latest } from "./latest";

describe("Latest", () => {
  it("drops an answer that comes after a newer question", async () => {
    const latest = new Latest();
    let answerFirst: (value: string) => void = () => undefined;
    const first = latest.run(() => new Promise<string>((resolve) => (answerFirst = resolve)));
    const second = latest.run(() => Promise.resolve("second"));
    answerFirst("first");
    expect(await second).toBe("second");
    expect(await first).toBeUndefined();
  });

  it("aborts the one before and swallows only its failure", async () => {
    const latest = new Latest();
    const first = latest.run(
      (signal) =>
        new Promise<string>((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
    );
    const second = latest.run(() => Promise.reject(new Error("real")));
    expect(await first).toBeUndefined();
    await expect(second).rejects.toThrow("real");
  });
});
