import { describe, expect, it } from "vitest";
import { RowQueue } from "./row_queue";

const box = (row: number): { top: number; bottom: number } => ({ top: 10 * row, bottom: 10 * row + 9 });

describe("RowQueue", () => {
  it("draws what is in sight first, stops when the time is up, and goes on where it stopped", () => {
    let clock = 0;
    const queue = new RowQueue(() => clock);
    const drawn: number[] = [];
    const row = (place: number): void => {
      drawn.push(place);
      clock += 3;
    };
    queue.fill(8);
    queue.draw(row, box, { top: 45, bottom: 62 });
    expect([drawn, queue.done]).toEqual([[4, 5, 6], false]);
    // Scrolled back meanwhile.
    queue.draw(row, box, { top: 0, bottom: 15 });
    expect(drawn).toEqual([4, 5, 6, 0, 1, 2]);
    queue.draw(row, box, { top: 0, bottom: 15 }, Infinity);
    expect([drawn.slice(6), queue.done]).toEqual([[3, 7], true]);
  });

  it("draws one row however long it takes, and starts anew when it is filled", () => {
    let clock = 0;
    const queue = new RowQueue(() => (clock += 100));
    const drawn: number[] = [];
    queue.fill(2);
    queue.draw((place) => drawn.push(place), box, { top: 0, bottom: 5 });
    queue.fill(2);
    queue.draw((place) => drawn.push(place), box, { top: 0, bottom: 5 });
    expect(drawn).toEqual([0, 0]);
  });
});
