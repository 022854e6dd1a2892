import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { acceptEvent } from "../shared/accept-event.ts";
import { readChange } from "../shared/change-event.ts";
import { mongoChange, PAYMENT_DOCUMENT, postgresChange } from "../shared/debezium-messages.ts";
import { mapChange } from "../shared/map-change.ts";
import { type SourceMapping, sourceMappingSchema } from "../shared/source-mapping.ts";
import { PROJECT_DIR } from "./build.ts";

/** The mappings that docs/collect.md shows, PostgreSQL's and MongoDB's, as a reader would copy them. */
async function shownMappings(): Promise<SourceMapping[]> {
  const text = await readFile(join(PROJECT_DIR, "docs", "collect.md"), "utf8");
  const blocks = [...text.matchAll(/^```json\n(.*?)^```/gms)].map(([, json = ""]) => JSON.parse(json));
  return blocks.map((block) => sourceMappingSchema.parse(block.mapping ?? block));
}

function eventsOf(message: unknown, mapping: SourceMapping | undefined) {
  const change = readChange(message);
  if (change === undefined || mapping === undefined) throw new Error("neither a change nor a mapping");
  const mapped = mapChange(change, mapping);
  if ("ignored" in mapped) return mapped.ignored.code;
  return mapped.payments.map((payment) => {
    const event = payment.ok ? acceptEvent(payment.value) : payment;
    if (!event.ok) throw new Error(event.error.message);
    return event.value;
  });
}

test("the mappings of docs/collect.md make payments of the rows they are shown for", async () => {
  const [postgres, mongo, ...more] = await shownMappings();
  expect(more).toEqual([]);
  const row = {
    id: 1017,
    shop: "cafe-hoshino",
    status: "refunded",
    amount: "12.34",
    currency: "USD",
    method: "cc",
    created_at: "2026-11-23T01:04:05Z",
    refunded_at: "2026-11-24T09:00:00.5Z",
    customer: '{"id": 1048, "country": "US"}',
  };
  expect(eventsOf(postgresChange("r", row), postgres)).toMatchObject([
    {
      event_id: "pay-1017",
      type: "payment",
      amount: 1_234,
      payment_method: "card",
      occurred_at: Date.UTC(2026, 10, 23, 1, 4, 5),
      user: { id: "1048", country: "US" },
    },
    {
      event_id: "pay-1017-refund",
      type: "refund",
      refund_of: "pay-1017",
      occurred_at: Date.UTC(2026, 10, 24, 9, 0, 0, 500),
    },
  ]);
  expect(eventsOf(postgresChange("c", { ...row, status: "pending" }), postgres)).toBe("not_a_payment");
  expect(eventsOf(mongoChange("c", PAYMENT_DOCUMENT), mongo)).toMatchObject([
    { event_id: "67f4675b8126ee23e2e79ec1-PAID", type: "payment", amount: 1_250, currency: "EUR" },
  ]);
});
