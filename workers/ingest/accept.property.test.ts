import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentLoad } from "../../bench/load.ts";
import { acceptEvent, checkTime, type EventFault } from "../../shared/accept-event.ts";
import type { AcceptRules } from "../../shared/accept-scanned.ts";
import { isCloudEvent, paymentOf, readCloudEvent } from "../../shared/cloud-event.ts";
import { MARK } from "../../shared/event.arbitrary.ts";
import type { PaymentEvent } from "../../shared/event.ts";
import { batchOf } from "../../shared/event-batch.ts";
import { ODD_VALUES, type SentBody, sentBody } from "../../shared/event-text.arbitrary.ts";
import { hashUser } from "../../shared/identity.ts";
import { encodeShardBatch } from "../../shared/messages/shard-batch.ts";
import { sipKeyFromHex } from "../../shared/siphash.ts";
import { Accepted } from "./accept.ts";
import { LINE_LENGTH_MAX } from "./limits.ts";
import { readEvents } from "./parse-events.ts";

/** Found in the bytes or parsed, an event comes out the same: what `JSON.parse` and `acceptEvent` say is what is right. */

const nowMs = Date.UTC(2036, 0, 1);
const rules: AcceptRules = {
  nowMs,
  historyAgeMaxMs: 50 * 366 * 86_400_000,
  userKey: sipKeyFromHex("f0e0d0c0b0a090807060504030201000"),
  identityKey: sipKeyFromHex("000102030405060708090a0b0c0d0e0f"),
  merchants: null,
};
const provenance = { batch: "request-1", source: "pos", receivedAtMs: nowMs };
/** Half of the time a source that is limited. */
const limited = fc.constantFrom(rules, { ...rules, merchants: new Set(["shop-1", "constructor"]) });

interface Outcome {
  readonly events: readonly unknown[];
  readonly indexes: readonly number[];
  readonly errors: readonly unknown[];
  readonly columns: Uint8Array;
}

/** What the code makes of a body. */
function outcomeOf({ bytes, contentType }: SentBody, within: AcceptRules): Outcome | { readonly problem: unknown } {
  const read = readEvents(bytes, contentType, () => new Accepted(within, provenance, bytes.length));
  if (!read.ok) return { problem: read.error };
  const { batch, lines, indexes, errors } = read.value;
  const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(lines.view(0, lines.size));
  const events = text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { received_at, source, batch: request, ...event } = JSON.parse(line);
      expect([received_at, source, request]).toEqual([nowMs, "pos", "request-1"]);
      return event;
    });
  return { events, indexes, errors, columns: encodeShardBatch(batch) };
}

type Judged = { readonly event: PaymentEvent } | { readonly fault: EventFault; readonly raw: unknown };

/** The same by `JSON.parse` and `acceptEvent` alone. */
function expected({ bytes, contentType }: SentBody, within: AcceptRules): Outcome | { readonly problem: unknown } {
  const text = new TextDecoder().decode(bytes);
  const judged = contentType === "application/json" ? judgedJson(text, within) : judgedLines(text, within);
  if (judged === undefined) return { problem: expect.objectContaining({ status: 400, code: "malformed_json" }) };
  const events = judged.flatMap((one) => ("event" in one ? [one.event] : []));
  return {
    events: events.map((event) => JSON.parse(JSON.stringify(event))),
    indexes: judged.flatMap((one, index) => ("event" in one ? [index] : [])),
    errors: judged.flatMap((one, index) => {
      if ("event" in one) return [];
      const id = (one.raw as { event_id?: unknown } | null | undefined)?.event_id;
      return [{ index, event_id: typeof id === "string" && id.length <= 64 ? id : undefined, ...one.fault }];
    }),
    columns: encodeShardBatch(batchOf(events, within.identityKey)),
  };
}

function judgedJson(text: string, within: AcceptRules): Judged[] | undefined {
  const parsed = parsedOf(text);
  if (parsed === undefined) return undefined;
  const values: unknown[] = Array.isArray(parsed.value) ? parsed.value : [parsed.value];
  return values.map((value) => judge(value, within));
}

function judgedLines(text: string, within: AcceptRules): Judged[] {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line) => {
    const tooLong = `${line.length} characters; a line takes ${LINE_LENGTH_MAX}`;
    if (line.length > LINE_LENGTH_MAX) return { fault: { code: "line_too_long", message: tooLong }, raw: undefined };
    const parsed = parsedOf(line);
    if (parsed !== undefined) return judge(parsed.value, within);
    return { fault: { code: "malformed_json", message: "the line is not JSON" }, raw: undefined };
  });
}

function parsedOf(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function paymentIn(value: unknown): { readonly raw: unknown } | { readonly fault: EventFault; readonly raw: unknown } {
  if (!isCloudEvent(value)) return { raw: value };
  const event = readCloudEvent(value);
  const payment = event.ok ? paymentOf(event.value) : event;
  return payment.ok ? { raw: payment.value } : { fault: payment.error, raw: { event_id: value.id } };
}

function judge(value: unknown, { merchants, historyAgeMaxMs, userKey }: AcceptRules): Judged {
  const payment = paymentIn(value);
  if ("fault" in payment) return payment;
  const { raw } = payment;
  const accepted = acceptEvent(raw);
  if (!accepted.ok) return { fault: accepted.error, raw };
  const event = accepted.value;
  if (merchants !== null && !merchants.has(event.merchant_id)) {
    const message = "the key may not send for this merchant";
    return { fault: { code: "merchant_not_allowed", path: "merchant_id", message }, raw };
  }
  const fault = checkTime(event.occurred_at, nowMs, historyAgeMaxMs);
  if (fault !== undefined) return { fault, raw };
  const { user } = event;
  return { event: user?.id === undefined ? event : { ...event, user: { ...user, id: hashUser(userKey, user.id) } } };
}

describe("a body", () => {
  test("gives the events, columns, indexes and errors that JSON.parse and acceptEvent give, however it is written or damaged", () => {
    fc.assert(
      fc.property(sentBody, limited, (body, within) => {
        expect(outcomeOf(body, within)).toEqual(expected(body, within));
      }),
      { numRuns: 2_000 },
    );
  });

  test("leaves nothing personal in the lines, nor in the texts of the columns", () => {
    fc.assert(
      fc.property(sentBody, (body) => {
        const outcome = outcomeOf(body, rules);
        if ("problem" in outcome) return;
        const kept = JSON.stringify(outcome.events) + new TextDecoder().decode(outcome.columns);
        expect(kept).not.toContain(MARK);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a field of an event that is fine but for it", () => {
  const own = {
    event_id: "e-1",
    type: "payment",
    merchant_id: "shop-1",
    occurred_at: nowMs - 1_000,
    amount: 1_200,
    currency: "JPY",
    payment_method: "qr",
  };
  const within = {
    user: ["id", "grade", "gender", "country", "device", "age_band", "date_of_birth", "name"],
    merchant: ["grade", "location", "business_type", "owner"],
  };
  const keys = [
    ...Object.keys(own),
    "points_used",
    "points_earned",
    "refund_of",
    "user",
    "merchant",
    "attributes",
    "note",
  ];
  /** The event without the field, so that it can be put last. */
  const without = (key: string) =>
    Object.entries(own)
      .filter(([name]) => name !== key)
      .map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
      .join("");

  test.each([
    ...keys.map((key) => [key, (value: string) => `{${without(key)}"${key}":${value}}`] as const),
    ...keys.map(
      (key) => [`${key} sent twice`, (value: string) => `{"${key}":${value},${without("")}"${key}":${value}}`] as const,
    ),
    ...Object.entries(within).flatMap(([outer, inner]) =>
      inner.map(
        (key) => [`${outer}.${key}`, (value: string) => `{${without("")}"${outer}":{"${key}":${value}}}`] as const,
      ),
    ),
  ])("%s: every odd value is judged as it is when parsed", (_, textWith) => {
    const bytes = new TextEncoder().encode(`${ODD_VALUES.map(textWith).join("\n")}\n`);
    const body = { bytes, contentType: "application/x-ndjson" };
    expect(outcomeOf(body, rules)).toEqual(expected(body, rules));
  });

  test("spread over several lines is one event in JSON, and none in NDJSON", () => {
    for (const contentType of ["application/json", "application/x-ndjson"]) {
      for (const text of [
        JSON.stringify(own, null, 1),
        JSON.stringify(own).replace("}", "\n}"),
        `${JSON.stringify(own)}\n\n`,
      ]) {
        const body = { bytes: new TextEncoder().encode(text), contentType };
        expect(outcomeOf(body, rules)).toEqual(expected(body, rules));
      }
    }
  });
});

describe("events as they come every day", () => {
  const next = paymentLoad({ seed: "plain", merchants: 1_000 });
  const events = Array.from({ length: 2_000 }, (_, n) => next(nowMs - n));

  test.each([
    ["application/x-ndjson", events.map((event) => `${JSON.stringify(event)}\n`).join("")],
    ["application/x-ndjson", events.map((event) => `${JSON.stringify(event)}\r\n`).join("")],
    ["application/json", JSON.stringify(events)],
    ["application/json", JSON.stringify(events, null, 2)],
    ["application/json", `\ufeff${JSON.stringify(events[0])}`],
  ])("are found in the bytes of %s, and never parsed", (contentType, text) => {
    let parsed = 0;
    let accepted = 0;
    class Watched extends Accepted {
      override scanned(...found: Parameters<Accepted["scanned"]>): boolean {
        const isAccepted = super.scanned(...found);
        if (isAccepted) accepted += 1;
        return isAccepted;
      }

      override value(raw: unknown): void {
        parsed += 1;
        super.value(raw);
      }
    }
    const bytes = new TextEncoder().encode(text);
    const read = readEvents(bytes, contentType, () => new Watched(rules, provenance, bytes.length));
    expect(read.ok && read.value.errors).toEqual([]);
    expect(read.ok && read.value.size).toBe(accepted);
    expect([parsed, accepted > 0]).toEqual([0, true]);
    expect(outcomeOf({ bytes, contentType }, rules)).toEqual(expected({ bytes, contentType }, rules));
  });
});
