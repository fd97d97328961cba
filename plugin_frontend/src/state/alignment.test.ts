import { expect, it } from "vitest";
import { Alignment } from "./alignment";

it("gives all what the neediest needs, until that one is gone or needs less", () => {
  const room = new Alignment();
  const [one, other] = [{}, {}];
  room.say(one, 40);
  room.say(other, 70);
  expect(room.largest.value).toBe(70);
  room.say(other, 30);
  expect(room.largest.value).toBe(40);
  room.say(one, null);
  expect(room.largest.value).toBe(30);
  room.say(other, null);
  expect(room.largest.value).toBe(0);
});
