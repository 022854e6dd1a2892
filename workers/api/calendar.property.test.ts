import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { expect, test } from "vitest";
import { WINDOW_MS } from "../../shared/window.ts";
import { type BucketSeries, cutIntoBuckets } from "./calendar.ts";
import { GRANULARITIES, type Granularity } from "./calendar-unit.ts";

/** Every kind of clock: fixed, daylight saving of either hemisphere and of half an hour, jumps at midnight, odd offsets. */
const ZONES = [
  ...["UTC", "+09:00", "-03:30", "+05:43", "Etc/GMT+5", "Africa/Abidjan", "Africa/Cairo", "Africa/Casablanca"],
  ...["Africa/Johannesburg", "Africa/Monrovia", "America/Asuncion", "America/Caracas", "America/Havana"],
  ...["America/Los_Angeles", "America/New_York", "America/Nuuk", "America/Santiago", "America/Sao_Paulo"],
  ...["America/Scoresbysund", "America/St_Johns", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu"],
  ...["Asia/Kolkata", "Asia/Pyongyang", "Asia/Seoul", "Asia/Tehran", "Asia/Tokyo", "Atlantic/Azores"],
  ...["Australia/Adelaide", "Australia/Eucla", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin"],
  ...["Europe/London", "Europe/Volgograd", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham", "Pacific/Kiritimati"],
];
const LONGEST_MS = { "10m": 3, "1h": 12, "1d": 400, "1w": 1200, "1mo": 2000 } as const;
const DAY_MS = 86_400_000;

interface Case {
  readonly zone: string;
  readonly granularity: Granularity;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Ends are any millisecond, a window, or the zone's own ten minutes. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    granularity: fc.constantFrom(...GRANULARITIES),
    startMs: fc.integer({ min: Date.UTC(1970, 0, 10), max: Date.UTC(2040, 0, 1) }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    stepMs: fc.constantFrom(1, 5 * 60_000, WINDOW_MS, 6 * WINDOW_MS),
  })
  .map(({ zone, granularity, startMs, share, stepMs }) => {
    const fromMs = startMs - (startMs % stepMs);
    const spanMs = Math.floor(share * LONGEST_MS[granularity] * DAY_MS);
    return { zone, granularity, fromMs, toMs: fromMs + Math.max(spanMs - (spanMs % stepMs), stepMs) };
  });

function cut(asked: Case): BucketSeries {
  const result = cutIntoBuckets({ ...asked, bucketsMax: 10_000 });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** The local time in force in a window: that of its middle, as boundaries move to the nearest window, halfway down. */
function localAt(zone: string, windowMs: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(windowMs + WINDOW_MS / 2).toZonedDateTimeISO(zone);
}

function nearestWindow(ms: number): number {
  const below = Math.floor(ms / WINDOW_MS) * WINDOW_MS;
  return ms - below > WINDOW_MS / 2 ? below + WINDOW_MS : below;
}

test("buckets are whole windows, never empty, and cover the range without gap or overlap", () => {
  fc.assert(
    fc.property(cases, (asked) => {
      const { buckets, fromMs, toMs } = cut(asked);
      expect(Math.abs(fromMs - asked.fromMs)).toBeLessThan(WINDOW_MS);
      expect(Math.abs(toMs - asked.toMs)).toBeLessThan(WINDOW_MS);
      let edgeMs = fromMs;
      for (const { startMs, endMs } of buckets) {
        if (startMs !== edgeMs || endMs <= startMs || endMs % WINDOW_MS !== 0) {
          throw new Error(`${startMs}–${endMs} after ${edgeMs}`);
        }
        edgeMs = endMs;
      }
      expect(edgeMs).toBe(toMs);
      expect(new Set(buckets.map(({ label }) => label)).size).toBe(buckets.length);
    }),
    { numRuns: 2000 },
  );
});

test("a day's bucket begins at the window nearest to the first moment of its date", () => {
  fc.assert(
    fc.property(cases, (asked) => {
      const { buckets, fromMs } = cut({ ...asked, granularity: "1d" });
      for (const { startMs, label } of buckets) {
        const date = Temporal.PlainDate.from(label);
        const dayMs = nearestWindow(date.toZonedDateTime(asked.zone).epochMilliseconds);
        if (startMs !== Math.max(dayMs, fromMs)) throw new Error(`${label} begins at ${startMs}, not at ${dayMs}`);
      }
    }),
    { numRuns: 300 },
  );
});

test("weeks and months begin with the day they are named by", () => {
  fc.assert(
    fc.property(cases, fc.constantFrom("1w", "1mo"), (asked, granularity) => {
      const { buckets, fromMs } = cut({ ...asked, granularity });
      for (const { startMs, label } of buckets) {
        const date = Temporal.PlainDate.from(granularity === "1w" ? label : `${label}-01`);
        if (granularity === "1w") expect(date.dayOfWeek).toBe(1);
        const dayMs = nearestWindow(date.toZonedDateTime(asked.zone).epochMilliseconds);
        expect(startMs).toBe(Math.max(dayMs, fromMs));
      }
    }),
    { numRuns: 500 },
  );
});

test("every window of an hour's bucket shows the hour and the offset of its label", () => {
  fc.assert(
    fc.property(cases, (asked) => {
      const toMs = Math.min(asked.toMs, asked.fromMs + 3 * DAY_MS);
      for (const { startMs, endMs, label } of cut({ ...asked, toMs, granularity: "1h" }).buckets) {
        for (let windowMs = startMs; windowMs < endMs; windowMs += WINDOW_MS) {
          const local = localAt(asked.zone, windowMs).toString({ smallestUnit: "minute", timeZoneName: "never" });
          const hour = (text: string) => `${text.slice(0, 13)}${text.slice(16)}`;
          if (hour(local) !== hour(label)) throw new Error(`${local} is in ${label}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("exact means that the zone's calendar agrees with every boundary between buckets", () => {
  fc.assert(
    fc.property(cases, (asked) => {
      const { buckets, exact } = cut(asked);
      if (!exact || asked.granularity === "10m") return;
      for (const { startMs } of buckets.slice(1)) {
        const before = Temporal.Instant.fromEpochMilliseconds(startMs - 1).toZonedDateTimeISO(asked.zone);
        const after = Temporal.Instant.fromEpochMilliseconds(startMs).toZonedDateTimeISO(asked.zone);
        const isNew = after.hour !== before.hour || after.offsetNanoseconds !== before.offsetNanoseconds;
        if (!isNew) throw new Error(`no unit begins at ${after.toString()}`);
      }
    }),
    { numRuns: 300 },
  );
});

test("two ranges that meet share no window and leave none out", () => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 1, max: 40 }), ({ zone, fromMs }, days) => {
      const date = Temporal.Instant.fromEpochMilliseconds(fromMs).toZonedDateTimeISO(zone).toPlainDate();
      const [a, b, c] = [0, days, 2 * days].map((n) => date.add({ days: n }).toZonedDateTime(zone).epochMilliseconds);
      if (a === undefined || b === undefined || c === undefined || a === b || b === c) return;
      const first = cut({ zone, granularity: "1d", fromMs: a, toMs: b });
      const second = cut({ zone, granularity: "1d", fromMs: b, toMs: c });
      const whole = cut({ zone, granularity: "1d", fromMs: a, toMs: c });
      expect([...first.buckets, ...second.buckets]).toEqual(whole.buckets);
    }),
    { numRuns: 300 },
  );
});

test("an answer never has more buckets than the limit, and a refusal is at most an odd jump away from the truth", () => {
  fc.assert(
    fc.property(cases, fc.integer({ min: 1, max: 500 }), (asked, bucketsMax) => {
      const result = cutIntoBuckets({ ...asked, bucketsMax });
      if (result.ok) {
        expect(result.value.buckets.length).toBeLessThanOrEqual(bucketsMax);
        return;
      }
      if (result.error.reason !== "too_many_buckets") throw new Error(result.error.reason);
      expect(result.error.count).toBeGreaterThan(bucketsMax);
      expect(Math.abs(result.error.count - cut(asked).buckets.length)).toBeLessThanOrEqual(2);
    }),
    { numRuns: 500 },
  );
});
