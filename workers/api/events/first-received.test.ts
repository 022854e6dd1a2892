import fc from "fast-check";
import { expect, test } from "vitest";
import { AHEAD_MAX_MS } from "../../../shared/accept-event.ts";
import { STATUS } from "../../../shared/messages/shard-batch.ts";
import { HOUR_MS, WINDOW_MS } from "../../../shared/window.ts";
import { emptyState, fold } from "../../aggregate/engine.ts";
import { batchOf, NOON_MS, payment } from "../../aggregate/sample-payments.ts";
import { countedCopies, hourOf, hoursBefore } from "./first-received.ts";

const copy = fc.record({
  event_id: fc.constantFrom("a", "b", "c"),
  waitedMs: fc.integer({ min: 1, max: HOUR_MS / 2 }),
  agoMs: fc.integer({ min: -AHEAD_MAX_MS, max: 3 * HOUR_MS }),
});

test("the copies that count are those that a shard counts when it gets them one after the other", () => {
  fc.assert(
    fc.property(fc.array(copy, { maxLength: 30 }), (drawn) => {
      let received_at = NOON_MS;
      const copies = drawn.map(({ event_id, waitedMs, agoMs }) => {
        received_at += waitedMs;
        return { event_id, received_at, occurred_at: received_at - agoMs };
      });
      const state = emptyState();
      const counted = copies.filter(({ event_id, occurred_at, received_at }) => {
        const [status] = fold(state, batchOf([payment({ event_id, occurred_at })]), received_at);
        return status === STATUS.accepted;
      });
      expect(countedCopies(copies)).toEqual(counted);
    }),
  );
});

test("a copy that hides another one stands in an hour that is named", () => {
  fc.assert(
    fc.property(copy, fc.integer({ min: 0, max: 4 * HOUR_MS }), ({ agoMs }, beforeMs) => {
      const received_at = NOON_MS + beforeMs;
      const first = { event_id: "a", occurred_at: received_at - beforeMs, received_at: received_at - 1 };
      const later = { event_id: "a", occurred_at: received_at - agoMs, received_at };
      if (countedCopies([first, later]).length === 2) return;
      const hours = [hourOf(later.occurred_at), ...hoursBefore(Math.floor(received_at / WINDOW_MS))];
      expect(hours).toContain(hourOf(first.occurred_at));
    }),
  );
});
