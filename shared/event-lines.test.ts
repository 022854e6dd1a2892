import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { paymentEvent } from "./event.arbitrary.ts";
import type { PaymentEvent } from "./event.ts";
import { EventLines } from "./event-lines.ts";

const provenance = { batch: "request-1", source: 'p"os 漢', receivedAtMs: 1_795_000_000_000 };
const events = fc.array(paymentEvent, { maxLength: 20 });
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function linesOf(sent: readonly PaymentEvent[], roomBytes?: number): EventLines {
  const lines = new EventLines(provenance, roomBytes);
  for (const event of sent) lines.add(event);
  return lines;
}
const lineOf = (event: PaymentEvent) =>
  `${JSON.stringify({ ...event, received_at: provenance.receivedAtMs, source: provenance.source, batch: provenance.batch })}\n`;

describe("lines", () => {
  test("are each event and where it came from as one object, whatever room was guessed", () => {
    fc.assert(
      fc.property(events, fc.nat(5_000), (sent, room) => {
        const lines = linesOf(sent, room);
        expect(lines.size).toBe(sent.length);
        expect(decoder.decode(lines.view(0, lines.size))).toBe(sent.map(lineOf).join(""));
        sent.forEach((event, at) => {
          expect(lines.event(at)).toMatchObject(JSON.parse(JSON.stringify(event)));
        });
      }),
    );
  });

  test("are found by their places, alone and many together", () => {
    fc.assert(
      fc.property(events, fc.nat(20), fc.nat(20), (sent, one, other) => {
        const [from, to] = [Math.min(one, other, sent.length), Math.min(Math.max(one, other), sent.length)];
        const lines = linesOf(sent);
        expect(decoder.decode(lines.view(from, to))).toBe(sent.slice(from, to).map(lineOf).join(""));
        expect(lines.view(from, to).length).toBe((to === 0 ? 0 : lines.end(to - 1)) - lines.begin(from));
      }),
    );
  });

  test("of a request that is over leave nothing in those of the next, which is given their room", () => {
    fc.assert(
      fc.property(events, events, fc.nat(20_000), (first, second, room) => {
        const lines = linesOf(first, room);
        lines.release();
        expect([lines.size, lines.view(0, lines.size).length]).toEqual([0, 0]);
        const [next, beside] = [linesOf(second, room), linesOf(first, room)];
        expect(decoder.decode(next.view(0, next.size))).toBe(second.map(lineOf).join(""));
        expect(decoder.decode(beside.view(0, beside.size))).toBe(first.map(lineOf).join(""));
      }),
    );
  });
});
