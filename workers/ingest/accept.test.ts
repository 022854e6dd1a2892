import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EventFault } from "../../shared/accept-event.ts";
import type { AcceptRules } from "../../shared/accept-scanned.ts";
import { MARK, sentEvent } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { hashUser } from "../../shared/identity.ts";
import { encodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { sipKeyFromHex } from "../../shared/siphash.ts";
import { Accepted } from "./accept.ts";
import { readEvents } from "./parse-events.ts";

const nowMs = Date.UTC(2026, 10, 23, 12);
const userKey = sipKeyFromHex("f0e0d0c0b0a090807060504030201000");
const identityKey = sipKeyFromHex("000102030405060708090a0b0c0d0e0f");
const context: AcceptRules = { nowMs, historyAgeMaxMs: 1_830 * 86_400_000, userKey, identityKey, merchants: null };
const forever: AcceptRules = { ...context, nowMs: 4_000_000_000_000, historyAgeMaxMs: 5_000_000_000_000 };

const sent = (more: object = {}) => ({
  event_id: "e-1",
  type: "payment",
  merchant_id: "shop-1",
  occurred_at: nowMs - 1_000,
  amount: 1_200,
  currency: "JPY",
  payment_method: "qr",
  ...more,
});
/** An event of a request: as it was parsed, or what is wrong with its text. */
type Item = { readonly value: unknown } | { readonly fault: EventFault };
const of = (...values: unknown[]): Item[] => values.map((value) => ({ value }));

/** What is accepted of the items, each parsed or, where it is one the scanner knows, found in its bytes. */
function acceptAll(items: readonly Item[], rules: AcceptRules, isScanned = false) {
  const accepted = new Accepted(rules, { batch: "request-1", source: "pos", receivedAtMs: nowMs }, 0);
  for (const item of items) {
    if ("fault" in item) accepted.fault(item.fault);
    else if (isScanned) readEvents(utf8.encode(JSON.stringify(item.value)), "application/x-ndjson", () => accepted);
    else accepted.value(item.value);
  }
  const { batch, lines, indexes, errors } = accepted;
  const events = indexes.map((_, at) => eventIn(accepted, at));
  expect([batch.size, lines.size]).toEqual([events.length, events.length]);
  expect(encodeShardBatch(batch)).toEqual(encodeShardBatch(batchOf(events, identityKey)));
  return { events, indexes, errors };
}

/** The event of a line, which says besides where it comes from. */
function eventIn({ lines }: Accepted, at: number): PaymentEvent {
  const { batch, source, received_at, ...event } = lines.event(at) as PaymentEvent & Record<string, unknown>;
  expect([batch, source, received_at]).toEqual(["request-1", "pos", nowMs]);
  return event;
}
const utf8 = new TextEncoder();
const errorsOf = (items: readonly Item[], within = context) => acceptAll(items, within).errors;

const good = sentEvent.map((value): Item => ({ value }));
const bad = fc.constantFrom<Item>(
  ...of(null, [], {}, sent({ amount: -1 }), sent({ merchant_id: "" }), sent({ occurred_at: forever.nowMs * 2 })),
  { fault: { code: "malformed_json", message: "the line is not JSON" } },
);

describe("the events of a request", () => {
  test("are judged each by itself: a bad one changes nothing for its neighbours", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(good, bad), { maxLength: 20 }), fc.boolean(), (items, isScanned) => {
        const together = acceptAll(items, forever, isScanned);
        const alone = items.map((item) => acceptAll([item], forever));
        expect(together.events).toEqual(alone.flatMap(({ events }) => events));
        expect(together.indexes).toEqual(alone.flatMap(({ events }, index) => (events.length > 0 ? [index] : [])));
        expect(together.errors).toEqual(
          alone.flatMap(({ errors }, index) => errors.map((error) => ({ ...error, index }))),
        );
        expect(together.events.length + together.errors.length).toBe(items.length);
      }),
    );
  });

  test("lose everything personal on the way; a payer is known by a keyed hash alone", () => {
    fc.assert(
      fc.property(sentEvent, fc.boolean(), (event, isScanned) => {
        const accepted = acceptAll(of(event), forever, isScanned);
        expect(accepted.events.length).toBe(1);
        expect(JSON.stringify(accepted)).not.toContain(MARK);
        const id = (event.user as { id?: string | null } | null | undefined)?.id;
        expect(accepted.events[0]?.user?.id).toBe(id == null ? undefined : hashUser(userKey, id));
      }),
    );
  });

  test("never carry a payer's id as it was sent, and the same payer is the same under one key alone", () => {
    const idOf = (key: typeof userKey) =>
      acceptAll(of(sent({ user: { id: "Miyazaki-42", grade: "gold" } })), { ...context, userKey: key }).events[0]?.user;
    expect(idOf(userKey)).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/), grade: "gold" });
    expect(idOf(userKey)).toEqual(idOf(userKey));
    expect(idOf(sipKeyFromHex("00".repeat(16)))).not.toEqual(idOf(userKey));
  });
});

describe("a merchant's id", () => {
  test.each([true, false])(
    "is neither . nor .., which no address can have in it (found in the bytes: %s)",
    (isScanned) => {
      const of4 = [".", "..", "...", ".a"].map((merchant_id, at) => sent({ event_id: `e-${at}`, merchant_id }));
      const { events, errors } = acceptAll(of(...of4), context, isScanned);
      expect(events.map(({ merchant_id }) => merchant_id)).toEqual(["...", ".a"]);
      const path = "merchant_id";
      expect(errors).toMatchObject([
        { index: 0, path, message: expect.stringContaining("neither . nor ..") },
        { index: 1, path },
      ]);
    },
  );
});

describe("a source that is limited to some merchants", () => {
  const limited: AcceptRules = { ...context, merchants: new Set(["shop-1"]) };

  test("is heard for those, and told of each of the others", () => {
    const { events, errors } = acceptAll(of(sent(), sent({ event_id: "e-2", merchant_id: "shop-2" })), limited);
    expect(events.map(({ merchant_id }) => merchant_id)).toEqual(["shop-1"]);
    expect(errors).toEqual([
      {
        index: 1,
        event_id: "e-2",
        code: "merchant_not_allowed",
        path: "merchant_id",
        message: "the key may not send for this merchant",
      },
    ]);
  });

  test("may send for no merchant when it has none, not even for the names that every object has", () => {
    const none: AcceptRules = { ...context, merchants: new Set() };
    for (const merchant_id of ["shop-1", "constructor", "__proto__"]) {
      expect(errorsOf(of(sent({ merchant_id })), none)).toMatchObject([{ code: "merchant_not_allowed" }]);
    }
  });
});

describe("an error", () => {
  test("says which event, which field and why", () => {
    const items = [
      ...of(sent({ occurred_at: nowMs + 300_001 }), sent({ occurred_at: nowMs - context.historyAgeMaxMs - 1 })),
      ...of(sent({ currency: "???" }), sent({ user: { country: "Japan" } }), "text"),
    ];
    expect(errorsOf(items)).toMatchObject([
      { index: 0, event_id: "e-1", code: "in_the_future", path: "occurred_at" },
      { index: 1, event_id: "e-1", code: "too_old", path: "occurred_at" },
      { index: 2, event_id: "e-1", code: "invalid_value", path: "currency" },
      { index: 3, event_id: "e-1", code: "invalid_value", path: "user.country" },
      { index: 4, event_id: undefined, code: "invalid_type" },
    ]);
  });

  test("names a CloudEvent by the id it would have had", () => {
    const cloud = {
      specversion: "1.0",
      id: "A234",
      source: "/pos",
      type: "payment",
      time: "2026-11-23T11:00:00Z",
      data: { amount: -1 },
    };
    expect(errorsOf(of(cloud))).toMatchObject([{ event_id: "A234" }]);
    expect(errorsOf(of({ ...cloud, data: { event_id: "own" } }))).toMatchObject([{ event_id: "own" }]);
  });

  test("repeats no id that is not a short text", () => {
    for (const event_id of ["x".repeat(65), 7, { a: 1 }, null]) {
      expect(errorsOf(of(sent({ event_id })))[0]?.event_id).toBeUndefined();
    }
  });
});

test("a CloudEvent is counted as its data would be", () => {
  const { event_id, type, occurred_at, ...data } = sent();
  const cloud = {
    specversion: "1.0",
    id: event_id,
    source: "/pos",
    type,
    time: new Date(occurred_at).toISOString(),
    data,
  };
  expect(acceptAll(of(cloud), context)).toEqual(acceptAll(of(sent()), context));
});
