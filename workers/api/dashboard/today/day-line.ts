import { WINDOW_MS } from "../../../../shared/window.ts";
import type { ChartPoint } from "../chart/plot.ts";
import { type Bucket, MEASURE, type Measure, type WindowReport } from "../data/answers.ts";
import type { LiveWindow } from "../data/live.ts";

export interface DayLineOptions {
  /** Of the whole day, those to come included. */
  readonly buckets: readonly Bucket[];
  readonly currency: string;
  /** What the stream has told of since. */
  readonly windows: ReadonlyMap<string, LiveWindow>;
  /** The days whose mean is the base; empty for none. */
  readonly bases: readonly (readonly Bucket[])[];
  readonly measure: Measure;
  /** Whether it adds up over the day, where it can. */
  readonly isRunning: boolean;
  readonly asOfMs: number;
  readonly isMarked: (bucket: Bucket) => boolean;
}

/** A window by its figures, whoever told them. */
type Figured = Omit<WindowReport, "currency" | "breakdowns">;

/** The windows that have come, each by whoever told of it last. */
export function comeWindows(options: Pick<DayLineOptions, "buckets" | "windows" | "currency" | "asOfMs">): Bucket[] {
  const { buckets, windows, asOfMs } = options;
  return buckets
    .filter(({ start }) => Date.parse(start) <= asOfMs)
    .map((bucket) => ({
      ...bucket,
      ...newest(bucket, options),
      status: laterOf(bucket.status, windows.get(bucket.start)?.status ?? bucket.status),
    }));
}

type Status = Bucket["status"];
/** As a window goes through them. */
const STATUSES: readonly Status[] = ["open", "provisional", "final"];

/** Whoever told of a window last need not be who knows that it has ended. */
function laterOf(one: Status, other: Status): Status {
  return STATUSES.indexOf(one) < STATUSES.indexOf(other) ? other : one;
}

/** The day's line by windows, up to now, over its base's, up to midnight. */
export function dayLine(options: DayLineOptions): ChartPoint[] {
  const { buckets, bases, measure, asOfMs } = options;
  const isRunning = options.isRunning && MEASURE[measure].adds;
  const baseAt = baseValues(bases, measure);
  let sum = 0;
  let baseSum = 0;
  return buckets.map((bucket) => {
    const startMs = Date.parse(bucket.start);
    const figured = newest(bucket, options);
    const value = MEASURE[measure].of(figured);
    const base = baseAt(clockOf(bucket));
    sum += value ?? 0;
    baseSum += base ?? 0;
    const isCome = startMs <= asOfMs;
    return {
      // What has come by the end of a window stands there.
      atMs: isRunning ? startMs + WINDOW_MS : startMs,
      value: isCome ? (isRunning ? sum : value) : null,
      base: bases.length === 0 ? null : isRunning ? baseSum : base,
      isOpen: isCome && startMs + WINDOW_MS > asOfMs,
      isRevised: options.isMarked(bucket),
    };
  });
}

function newest(bucket: Bucket, { windows, currency }: Pick<DayLineOptions, "windows" | "currency">): Figured {
  const told = windows.get(bucket.start)?.reports.find((report) => report.currency === currency);
  return told === undefined || told.revision < bucket.revision ? bucket : told;
}

/** `14:30`: days are laid over each other by the clock, since one may be an hour shorter. */
const clockOf = ({ start }: Bucket) => start.slice(11, 16);

function baseValues(bases: readonly (readonly Bucket[])[], measure: Measure): (clock: string) => number | null {
  const days = bases.map((buckets) => new Map(buckets.map((bucket) => [clockOf(bucket), MEASURE[measure].of(bucket)])));
  return (clock) => {
    const values = days.flatMap((day) => day.get(clock) ?? []);
    if (values.length === 0) return days.length > 0 && MEASURE[measure].adds ? 0 : null;
    // A sum is nothing where there was nothing; an average of nothing is left out.
    return values.reduce((all, value) => all + value, 0) / (MEASURE[measure].adds ? days.length : values.length);
  };
}

/** For how long nobody has paid, where that is unusual: the base has so many in the same time that none is rarer than one in a hundred. */
export interface Quiet {
  readonly minutes: number;
  readonly expected: number;
}

const QUIET_WINDOWS_MIN = 6;
/** e^−5 < 1 %: how likely nobody comes where five are expected. */
const EXPECTED_MIN = 5;

export function quietOf(payments: readonly ChartPoint[]): Quiet | undefined {
  const come = payments.filter(({ value }) => value !== null);
  const lastPaid = come.findLastIndex(({ value }) => (value ?? 0) > 0);
  const silent = come.slice(lastPaid + 1);
  const ended = silent.filter(({ isOpen }) => !isOpen);
  const expected = ended.reduce((sum, { base }) => sum + (base ?? 0), 0);
  if (ended.length < QUIET_WINDOWS_MIN || expected < EXPECTED_MIN) return undefined;
  return { minutes: (ended.length * WINDOW_MS) / 60_000, expected: Math.round(expected) };
}
