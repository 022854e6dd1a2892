import fc from "fast-check";
import { expect, test } from "vitest";
import { FairTurns, type NoRoom, type Turn, type TurnLimits } from "./fair-turns.ts";

const LIMITS: TurnLimits = {
  ...{ atOnce: 2, waitingMax: 6, waitingOfOneMax: 4 },
  ...{ turnMsMax: 1_000, silentMsMax: 100, claimMs: 500 },
};

function asked(turn: Turn | NoRoom): Turn {
  if (typeof turn === "string") throw new Error(turn);
  return turn;
}

test("there are as many turns at once as there may be, one alone may have them all, and one that has no end is over in time", () => {
  const turns = new FairTurns(LIMITS);
  const [first, second, third] = [1, 2, 3].map(() => asked(turns.ask("a", 0)));
  if (first === undefined || second === undefined || third === undefined) expect.fail();
  expect([turns.isOn(first, 0), turns.isOn(second, 0), turns.isOn(third, 0)]).toEqual([true, true, false]);
  expect([turns.isOn(first, 50), turns.isOn(third, 50)]).toEqual([true, false]);
  turns.end(first, 60);
  turns.end(first, 60);
  expect(turns.isOn(third, 60)).toBe(true);
  const fourth = asked(turns.ask("a", LIMITS.turnMsMax));
  expect(turns.isOn(fourth, LIMITS.turnMsMax)).toBe(true);
});

test("who has a turn gets no other while somebody waits, however long it has waited itself", () => {
  const turns = new FairTurns(LIMITS);
  const [first, second] = [1, 2].map(() => asked(turns.ask("greedy", 0)));
  if (first === undefined || second === undefined) expect.fail();
  expect([turns.isOn(first, 0), turns.isOn(second, 0)]).toEqual([true, true]);
  const more = [1, 2, 3].map(() => asked(turns.ask("greedy", 1)));
  const other = asked(turns.ask("other", 50));
  turns.end(first, 60);
  expect(more.map((turn) => turns.isOn(turn, 60))).toEqual([false, false, false]);
  expect(turns.isOn(other, 61)).toBe(true);
  turns.end(other, 62);
  expect(more.map((turn) => turns.isOn(turn, 62))).toEqual([true, false, false]);
});

test("whoever went without a turn is waited for, in its place", () => {
  const turns = new FairTurns(LIMITS);
  const [first, second] = [1, 2].map(() => asked(turns.ask("greedy", 0)));
  if (first === undefined || second === undefined) expect.fail();
  expect([turns.isOn(first, 0), turns.isOn(second, 0)]).toEqual([true, true]);
  const other = asked(turns.ask("other", 0));
  expect(turns.isOn(other, 90)).toBe(false);
  turns.end(other, 100);
  const more = asked(turns.ask("greedy", 200));
  turns.end(first, 210);
  expect(turns.isOn(more, 210)).toBe(false);
  const late = asked(turns.ask("late", 220));
  const again = asked(turns.ask("other", 230));
  expect([turns.isOn(late, 240), turns.isOn(again, 240)]).toEqual([false, true]);
  turns.end(again, 250);
  expect([turns.isOn(more, 260), turns.isOn(late, 260)]).toEqual([false, true]);
  turns.end(late, 270);
  const next = asked(turns.ask("other", 300));
  turns.end(next, 300);
  expect([turns.isOn(more, 300 + LIMITS.claimMs - 1), turns.isOn(more, 300 + LIMITS.claimMs)]).toEqual([false, true]);
});

test("one that has fallen silent keeps nobody waiting, and comes last when it asks after all", () => {
  const turns = new FairTurns(LIMITS);
  const having = [1, 2].map(() => asked(turns.ask("a", 0)));
  for (const turn of having) expect(turns.isOn(turn, 0)).toBe(true);
  const silent = asked(turns.ask("silent", 0));
  const other = asked(turns.ask("other", 90));
  for (const turn of having) turns.end(turn, 90);
  const third = asked(turns.ask("third", 95));
  expect(turns.isOn(third, 95)).toBe(false);
  expect([turns.isOn(other, 101), turns.isOn(third, 101), turns.isOn(silent, 102)]).toEqual([true, true, false]);
  turns.end(other, 103);
  expect(turns.isOn(silent, 103)).toBe(true);
});

test("so many may wait and no more, of one and of all", () => {
  const turns = new FairTurns(LIMITS);
  for (const _ of [1, 2]) expect(turns.isOn(asked(turns.ask("a", 0)), 0)).toBe(true);
  for (let n = 0; n < LIMITS.waitingOfOneMax; n++) asked(turns.ask("a", 0));
  expect(turns.ask("a", 0)).toBe("of_one");
  const others = ["b", "b", "c", "c"].slice(0, LIMITS.waitingMax - LIMITS.waitingOfOneMax);
  for (const who of others) asked(turns.ask(who, 0));
  expect(turns.ask("a", 0)).toBe("of_one");
});

test("where there is no room whoever has fewer that wait takes the place of the newest of whoever has the most", () => {
  const turns = new FairTurns({ ...LIMITS, waitingMax: 4 });
  const having = [1, 2].map(() => asked(turns.ask("a", 0)));
  for (const turn of having) expect(turns.isOn(turn, 0)).toBe(true);
  const waiting = [1, 2, 3, 4].map(() => asked(turns.ask("a", 0)));
  const other = asked(turns.ask("b", 1));
  asked(turns.ask("b", 1));
  expect(waiting.map(({ isPutOut }) => isPutOut)).toEqual([false, false, true, true]);
  expect([turns.ask("b", 1), turns.ask("a", 1)]).toEqual(["of_all", "of_all"]);
  for (const turn of having) turns.end(turn, 2);
  expect(waiting.toReversed().map((turn) => turns.isOn(turn, 2))).toEqual([false, false, false, true]);
  expect(turns.isOn(other, 2)).toBe(true);
});

/** Each step somebody asks, all who wait ask whether it is their turn, in some order, or one that has it ends. */
const steps = fc.array(
  fc.record({
    who: fc.constantFrom("a", "b", "c", "d"),
    ends: fc.option(fc.nat(1)),
    order: fc.nat(50),
    ms: fc.nat(40),
  }),
  { maxLength: 80 },
);

test("whatever is asked for, nobody waits for more turns of others than there are others, and nobody has two while others wait", () => {
  fc.assert(
    fc.property(steps, (steps) => {
      const turns = new FairTurns({ ...LIMITS, waitingMax: 100, waitingOfOneMax: 100, claimMs: 0, turnMsMax: 10_000 });
      let nowMs = 0;
      let waiting: Turn[] = [];
      const having: Turn[] = [];
      /** Turns of others that began since somebody who has none began to wait. */
      const passedOver = new Map<string, number>();
      for (const { who, ends, order, ms } of steps) {
        nowMs += ms;
        const ended = ends === null ? undefined : having.splice(ends, 1)[0];
        if (ended !== undefined) turns.end(ended, nowMs);
        waiting.push(asked(turns.ask(who, nowMs)));
        const from = order % waiting.length;
        for (const turn of [...waiting.slice(from), ...waiting.slice(0, from)]) {
          if (!turns.isOn(turn, nowMs)) continue;
          waiting = waiting.filter((other) => other !== turn);
          if (having.some((other) => other.who === turn.who)) {
            expect(waiting.every((other) => other.who === turn.who)).toBe(true);
          }
          having.push(turn);
          passedOver.delete(turn.who);
          for (const other of new Set(waiting.map(({ who }) => who))) {
            if (having.every(({ who }) => who !== other)) passedOver.set(other, (passedOver.get(other) ?? 0) + 1);
          }
        }
        expect(having.length).toBeLessThanOrEqual(LIMITS.atOnce);
        for (const count of passedOver.values()) expect(count).toBeLessThanOrEqual(3);
      }
    }),
  );
});
