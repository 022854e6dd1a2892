import { describe, expect, test } from "vitest";
import { EMPTY_REPORT } from "../../shared/report.ts";
import type { Receipt } from "./receipt-rules.ts";
import { ReferenceModel } from "./reference-model.ts";
import type { ReportedWindow } from "./reported-window.ts";
import { DAY_MS, HOUR_MS, keyOf, type Sent, WINDOW_MS, windowOf } from "./traffic.ts";

const NOON_MS = Date.UTC(2031, 2, 5, 12);
const NOTHING = { accepted: 0, duplicates: 0, late: 0, rejected: 0, errors: [] } satisfies Receipt;

function sent(token: string, event_id: string, occurred_at: number, amount = 100): Sent {
  const body = {
    event_id,
    merchant_id: "m0",
    type: "payment" as const,
    currency: "JPY",
    occurred_at,
    amount,
    payment_method: token,
    points_used: 0,
    points_earned: 0,
  };
  const windowMs = windowOf(occurred_at);
  return { token, identity: `m0/${event_id}`, windowMs, key: keyOf("m0", "JPY", windowMs), body };
}

/** What a read would say of the window these events are of, each counted so many times. */
function windowOfEvents(events: readonly Sent[], times = 1): ReportedWindow {
  const amounts = events.map(({ body }) => body.amount);
  const sum = BigInt(amounts.reduce((total, amount) => total + amount, 0) * times);
  const values = new Map(
    events.map(({ token, body }) => [token, { count: times, amount: BigInt(body.amount * times) }]),
  );
  const report = {
    ...EMPTY_REPORT,
    payments_count: times * events.length,
    payments_amount: sum,
    amount_min: Math.min(...amounts),
    amount_max: Math.max(...amounts),
    breakdowns: { ...EMPTY_REPORT.breakdowns, payment_method: { values, other: { count: 0, amount: 0n } } },
  };
  return { merchantId: "m0", currency: "JPY", startMs: events[0]?.windowMs ?? 0, revision: 1, report };
}

const a = sent("p0", "a", NOON_MS);
const changed = sent("p1", "a", NOON_MS, 200);
const moved = sent("p2", "a", NOON_MS + WINDOW_MS);

describe("a receipt", () => {
  const receive = (receipt: Partial<Receipt>, events: readonly Sent[] = [a]) => {
    const model = new ReferenceModel();
    model.acknowledge(model.send(events), { ...NOTHING, ...receipt }, NOON_MS);
  };

  test("that calls something never sent before a duplicate, or late within the horizon, is not believed", () => {
    receive({ accepted: 1 });
    receive({ queued: 1 });
    expect(() => receive({ duplicates: 1 })).toThrow("never sent before");
    expect(() => receive({ late: 1 })).toThrow("late within the horizon");
    expect(() => receive({})).toThrow("does not add up");
    receive({ late: 1 }, [sent("p3", "c", NOON_MS - DAY_MS - WINDOW_MS)]);
  });

  test("may call a duplicate what another request has overtaken, and may not accept it twice", () => {
    const model = new ReferenceModel();
    const slow = model.send([a]);
    model.acknowledge(model.send([a]), { ...NOTHING, accepted: 1 }, NOON_MS);
    model.acknowledge(slow, { ...NOTHING, duplicates: 1 }, NOON_MS);
    const again = model.send([a]);
    expect(() => model.acknowledge(again, { ...NOTHING, accepted: 1 }, NOON_MS)).toThrow("counted before is accepted");
  });
});

describe("what is served", () => {
  const modelOf = (...events: readonly Sent[]) => {
    const model = new ReferenceModel();
    for (const event of events) model.acknowledge(model.send([event]), { ...NOTHING, queued: 1 }, NOON_MS);
    return model;
  };
  const served = (model: ReferenceModel, windows: readonly ReportedWindow[], nowMs = NOON_MS) =>
    model.observe(windows, model.counted("m0"), nowMs);

  test("counts an event once, and does not cease to", () => {
    const model = modelOf(a);
    expect(() => served(model, [windowOfEvents([a], 2)])).toThrow("counts p0 2 times");
    expect([...served(model, [windowOfEvents([a])])]).toEqual([a]);
    expect(() => served(model, [])).toThrow("p0 is not counted any more");
  });

  test("counts one of those that share an identity: in one window always, in others until the first may be forgotten", () => {
    expect(() => served(modelOf(a, changed), [windowOfEvents([a, changed])])).toThrow("m0/a is counted twice");
    const model = modelOf(a, moved);
    const both = [windowOfEvents([a]), windowOfEvents([moved])];
    expect(() => served(model, both)).toThrow("m0/a is counted twice");
    expect(served(model, both, NOON_MS + WINDOW_MS + HOUR_MS).size).toBe(2);
    model.epochsMs.push(moved.windowMs);
    expect(served(model, both).size).toBe(2);
  });

  test("says nothing but its events, none of them unknown or refused", () => {
    const model = new ReferenceModel();
    const errors = [{ index: 0, code: "in_the_future" }];
    model.acknowledge(model.send([a]), { ...NOTHING, rejected: 1, errors }, NOON_MS);
    expect(() => served(model, [windowOfEvents([a])])).toThrow("counted though it was refused");
    expect(() => served(model, [windowOfEvents([sent("p9", "z", NOON_MS)])])).toThrow("was not sent for it");
    const window = windowOfEvents([a]);
    const more = { ...window, report: { ...window.report, points_used: 1n } };
    expect(() => served(model, [more])).toThrow("should be");
  });

  test("has everything that was acknowledged, but for what was noted as late", () => {
    const model = modelOf(a);
    expect(() => model.checkComplete(new Set(), new Set(), NOON_MS)).toThrow("was acknowledged and is lost");
    const late = new Set([`m0 ${a.windowMs}`]);
    expect(() => model.checkComplete(new Set(), late, NOON_MS)).toThrow("was acknowledged and is lost");
    model.checkComplete(new Set(), late, NOON_MS + DAY_MS + WINDOW_MS);
    model.checkComplete(new Set([a]), new Set(), NOON_MS);
  });
});

describe("a window that is damaged", () => {
  const accepted = (...events: readonly Sent[]) => {
    const model = new ReferenceModel();
    for (const event of events) model.acknowledge(model.send([event]), { ...NOTHING, accepted: 1 }, NOON_MS);
    return model;
  };
  const everything = () => true;
  const nothing = () => false;

  test("may lack what it had while it is in doubt, and afterwards what the archive has not", () => {
    const model = accepted(a);
    const must = model.counted("m0");
    expect(model.observe([], must, NOON_MS, everything).size).toBe(0);
    model.disturb(a.windowMs, everything);
    expect(() => model.observe([], must, NOON_MS)).toThrow("p0 is not counted any more");
    model.disturb(undefined, nothing);
    expect(model.counted("m0")).toEqual([]);
    // What is read in doubt may be what history had before.
    model.observe([windowOfEvents([a])], [], NOON_MS, everything);
    expect(model.counted("m0")).toEqual([]);
    model.acknowledge(model.send([a]), { ...NOTHING, accepted: 1 }, NOON_MS);
    expect(model.counted("m0")).toEqual([a]);
    expect(() => model.acknowledge(model.send([a]), { ...NOTHING, accepted: 1 }, NOON_MS)).toThrow("is accepted");
    expect(() => model.checkComplete(new Set(), new Set(), NOON_MS)).toThrow("was acknowledged and is lost");
  });

  test("may count another one of those that share an identity, and not two in one window", () => {
    const model = accepted(a);
    for (const other of [changed, moved]) {
      const conflict = [{ index: 0, code: "conflict" }];
      model.acknowledge(model.send([other]), { ...NOTHING, duplicates: 1, errors: conflict }, NOON_MS);
    }
    const served = (...windows: readonly ReportedWindow[]) => model.observe(windows, model.counted("m0"), NOON_MS);
    model.disturb(a.windowMs, everything);
    expect(served(windowOfEvents([moved])).size).toBe(1);
    expect(() => served(windowOfEvents([a, changed]), windowOfEvents([moved]))).toThrow("m0/a is counted twice");
  });
});
