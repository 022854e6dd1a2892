import { expect, test } from "vitest";
import { RebuildTurn, TURN_MS } from "./rebuild-turn.ts";

const [URGENT, AT_LEISURE] = [true, false];

test("one shard at a time has the turn, until it leaves or is not heard of any more", () => {
  const turn = new RebuildTurn();
  expect(turn.take("a", AT_LEISURE, 0)).toBe(true);
  expect(turn.take("b", AT_LEISURE, 1)).toBe(false);
  expect(turn.take("a", AT_LEISURE, 2)).toBe(true);
  turn.leave("b");
  expect(turn.take("b", AT_LEISURE, 3)).toBe(false);
  turn.leave("a");
  expect(turn.take("b", AT_LEISURE, 4)).toBe(true);
  expect(turn.take("a", AT_LEISURE, 4 + TURN_MS)).toBe(true);
});

test("a clock that was set back keeps no turn for longer", () => {
  const turn = new RebuildTurn();
  turn.take("a", URGENT, 100 * TURN_MS);
  expect(turn.take("b", AT_LEISURE, 100 * TURN_MS - 1)).toBe(true);
  expect(turn.take("c", AT_LEISURE, 100 * TURN_MS - 1)).toBe(false);
});

test("what is urgent takes the turn from what is not, and from nothing that is", () => {
  const turn = new RebuildTurn();
  turn.take("a", AT_LEISURE, 0);
  expect(turn.take("b", URGENT, 1)).toBe(true);
  expect(turn.take("a", AT_LEISURE, 2)).toBe(false);
  expect(turn.take("c", URGENT, 3)).toBe(false);
  // The rest of it can wait.
  expect(turn.take("b", AT_LEISURE, 4)).toBe(true);
  expect(turn.take("c", URGENT, 5)).toBe(true);
});
