import { describe, expect, test } from "vitest";
import { HOUR_MS, WINDOW_MS } from "../../shared/window.ts";
import { FIRING_LOOK_MS, LOOK_MS_MIN } from "./looks.ts";
import { askSales, judgeSales, type NoSalesLook } from "./no-sales.ts";
import { openingHoursSchema } from "./opening-hours.ts";

const OPEN = [{ from: "09:00", to: "18:00" }];
const rule = (minutes: number, days: object = { monday: OPEN }) => ({
  kind: "no_sales" as const,
  minutes,
  opening_hours: openingHoursSchema.parse(days),
});
/** A Monday, UTC. */
const at = (time: string) => Date.parse(`2026-11-23T${time}Z`);

interface Case {
  readonly now: string;
  readonly sold?: readonly string[];
  readonly lagMin?: number;
  readonly minutes?: number;
}

function look({ now, sold = [], lagMin = 0, minutes = 60 }: Case) {
  const nowMs = at(now);
  const one: NoSalesLook = { rule: rule(minutes), zone: "UTC", nowMs, countedMs: nowMs - lagMin * 60_000 };
  const asked = askSales(one);
  if (!asked.isOpen) return asked.looked;
  const windows = sold.map(at).map((ms) => ms - (ms % WINDOW_MS));
  return judgeSales(
    one,
    asked,
    windows.filter((ms) => ms >= asked.span.fromMs && ms < asked.span.toMs),
  );
}

describe("no sales in opening hours", () => {
  test.each<[string, Case, string, string]>([
    ["it has not opened", { now: "08:30:00" }, "quiet", "closed"],
    ["it opened less than that ago", { now: "10:01:59" }, "quiet", "opened"],
    ["it has been open for as long, and the grace is over", { now: "10:02:00" }, "firing", "no_sales"],
    [
      "it sold something before it opened, and nothing since",
      { now: "10:02:00", sold: ["08:40:00"] },
      "firing",
      "no_sales",
    ],
    ["it sold something lately", { now: "10:30:00", sold: ["09:35:00"] }, "quiet", "sale"],
    ["an hour after the last window with a sale", { now: "10:42:00", sold: ["09:35:00"] }, "firing", "no_sales"],
    ["a minute before that", { now: "10:41:00", sold: ["09:35:00"] }, "quiet", "sale"],
    ["it has just sold something", { now: "15:00:30", sold: ["09:35:00", "15:00:10"] }, "quiet", "sale"],
    ["it has closed", { now: "18:02:00" }, "quiet", "closed"],
    ["it closes only now, by what is known", { now: "18:01:59" }, "firing", "no_sales"],
    // What the log has not brought yet may be a sale.
    ["the log lags", { now: "10:42:00", sold: ["09:35:00"], lagMin: 5 }, "quiet", "sale"],
    ["the log lags by as much more", { now: "10:47:00", sold: ["09:35:00"], lagMin: 5 }, "firing", "no_sales"],
    ["the log lags from before it opened", { now: "12:00:00", lagMin: 180 }, "quiet", "closed"],
    ["a sale came past the lag", { now: "12:00:00", sold: ["11:50:00"], lagMin: 100 }, "quiet", "sale"],
    ["a short gap is asked for", { now: "09:12:00", minutes: 10 }, "firing", "no_sales"],
  ])("when %s", (_, given, outcome, reason) => {
    expect(look(given).check).toMatchObject({ outcome, reason });
  });

  test("is told with what is known, by the shop's clock", () => {
    const nowMs = at("10:00:00") - 9 * HOUR_MS;
    const one = { rule: rule(30), zone: "Asia/Tokyo", nowMs, countedMs: nowMs };
    const asked = askSales(one);
    if (!asked.isOpen) throw new Error("it is open");
    expect(judgeSales(one, asked, []).check).toMatchObject({
      facts: {
        quiet_since: "2026-11-23T09:20:00+09:00",
        open_since: "2026-11-23T09:00:00+09:00",
        known_through: "2026-11-23T09:58:00+09:00",
        quiet_minutes: 38,
      },
    });
  });

  test("is looked for again when there can be another answer, and no sooner", () => {
    expect(look({ now: "08:30:00" }).nextMs).toBe(at("10:02:00"));
    expect(look({ now: "10:30:00", sold: ["10:25:00"] }).nextMs).toBe(at("11:32:00"));
    expect(look({ now: "10:30:00", sold: ["10:25:00"], lagMin: 5 }).nextMs).toBe(at("11:37:00"));
    expect(look({ now: "10:02:00" }).nextMs).toBe(at("10:02:00") + FIRING_LOOK_MS);
    expect(look({ now: "10:01:59" }).nextMs).toBe(at("10:01:59") + LOOK_MS_MIN);
  });

  test("reads no further back than the gap, nor than the opening", () => {
    const span = (now: string, minutes: number) => {
      const asked = askSales({ rule: rule(minutes), zone: "UTC", nowMs: at(now), countedMs: at(now) });
      return asked.isOpen ? [asked.span.fromMs, asked.span.toMs] : undefined;
    };
    expect(span("12:00:00", 30)).toEqual([at("11:20:00"), at("12:10:00")]);
    expect(span("09:30:00", 120)).toEqual([at("09:00:00"), at("09:40:00")]);
  });

  test("counts real hours on the days the clock changes", () => {
    // Open from 00:00; at 03:30 of the day of 23 hours two and a half have passed, of that of 25 four and a half.
    const days = { sunday: [{ from: "00:00", to: "12:00" }] };
    const fires = (minutes: number, now: string) => {
      const nowMs = Date.parse(now) + 120_000;
      const one = { rule: rule(minutes, days), zone: "Europe/Berlin", nowMs, countedMs: nowMs };
      const asked = askSales(one);
      return asked.isOpen && judgeSales(one, asked, []).check.outcome === "firing";
    };
    expect([fires(150, "2026-03-29T03:30+02:00"), fires(151, "2026-03-29T03:30+02:00")]).toEqual([true, false]);
    expect([fires(270, "2026-10-25T03:30+01:00"), fires(271, "2026-10-25T03:30+01:00")]).toEqual([true, false]);
  });
});
