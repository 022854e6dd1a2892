import { CROWD_BURST_MS, CrowdPace } from "./crowd-pace.ts";

/**
 * What one isolate takes on at a time, in milliseconds of its processor, which is what runs out first: with this much under way every further
 * request would only wait behind it, and whoever sends is better told at once. Eight requests of a thousand events are below it.
 */
export const WORK_MS_MAX = 100;
/**
 * Of so many requests at a time there may be less left to do: whoever comes then is one of a crowd, of which most are refused, and a refusal waits
 * for all that is left. Fewer senders than that wait only for one another.
 */
export const CROWD_REQUESTS_MIN = 16;
export const CROWD_WORK_MS_MAX = 25;
/** What is left of a request when its events are on their way to the log: the call of the shards, and the receipt. */
export const LEFT_SHARE_WAITING = 0.4;
/** Beyond so much of a limit the shards are not called directly: the log has the events, which is what was promised, and the request costs less. */
export const HEAD_START_SHARE_MAX = 0.75;

/** What a request takes by estimate, whatever is in it; and a thousand bytes of its unpacked body (`npm run bench:ingest`: some 10 µs an event). */
export const REQUEST_MS = 0.6;
export const KILOBYTE_MS = 0.025;
/** Of events in NDJSON; before a body is unpacked it is taken to be so much larger. */
const GZIP_RATIO = 8;

/**
 * A body that has not arrived takes no time but its sender's. It has a place from its headers on, or a hundred requests would wait unseen for the
 * isolate's turn; but such places alone never fill an isolate. What comes beyond them has to find room when it is there.
 */
export const ARRIVED_SHARE_MIN = 0.25;
/** What takes longer to arrive, or is overtaken by what came later, has no place any more: whoever sends slowly would keep others out. */
export const UPLOAD_MS_MAX = 1_000;
/**
 * The platform ends what goes on after its caller has left within 30 s (Cloudflare Workers, "waitUntil"), and tells nobody. What is older
 * counts no more, or an isolate would fill with requests that are gone.
 */
export const REQUEST_AGE_MS_MAX = 35_000;
/** Refusals come in thousands; the log has their number this often. */
const REPORT_EVERY_MS = 1_000;

/** A request that is under way. */
export class Work {
  /** Of all requests of the isolate, in the order in which they came. */
  readonly number: number;
  readonly sinceMs: number;
  costMs: number;
  /** Of it, what the crowd's pace has had. */
  paidMs = 0;
  isRead = false;
  isWaiting = false;

  constructor(number: number, sinceMs: number, costMs: number) {
    this.number = number;
    this.sinceMs = sinceMs;
    this.costMs = costMs;
  }

  get leftMs(): number {
    return this.isWaiting ? this.costMs * LEFT_SHARE_WAITING : this.costMs;
  }
}

/** The requests an isolate has begun with and not answered yet. */
export class UnderWay {
  /** Those that have a place, in the order in which they got it. */
  readonly #works = new Set<Work>();
  readonly #pace = new CrowdPace();
  readonly #arrived = new Load();
  readonly #coming = new Load();
  #begun = 0;
  #refused = 0;
  #reportedMs = 0;

  /**
   * True when no more may be taken on. By what is there, not by what comes: a large body has to get its turn too. While requests are refused also by
   * what has been taken on of late.
   */
  isFull(nowMs: number): boolean {
    return this.#isFilled(nowMs) || this.#pace.isSpent(nowMs);
  }

  /** By what is there, without what is too old to count. */
  #isFilled(nowMs: number): boolean {
    if (!this.#hasNoRoom) return false;
    for (const work of this.#works) {
      const ageMs = nowMs - work.sinceMs;
      if (ageMs < UPLOAD_MS_MAX) break;
      if (!work.isRead || ageMs >= REQUEST_AGE_MS_MAX) this.end(work);
    }
    return this.#hasNoRoom;
  }

  /** Takes a request on, by what its headers say. */
  begin(headers: Headers, nowMs: number): Work {
    this.#begun += 1;
    const work = new Work(this.#begun, nowMs, costOf(bytesSaid(headers)));
    // Before the body is there, or all who come at once would find that nothing is spent yet. No more than a burst, and given back if no body is read.
    this.#pay(work, Math.min(work.costMs, CROWD_BURST_MS));
    if (this.#filledBy(this.#coming) < 1 - ARRIVED_SHARE_MIN) this.#add(work);
    return work;
  }

  /** The body is there, of so many bytes unpacked. Answers what there is time for: `nothing`, which only a request can be told that has no place. */
  read(work: Work, bytes: number, nowMs: number): "head start" | "log" | "nothing" {
    if (!this.#works.has(work)) {
      if (this.#isFilled(nowMs) && this.#filledBy(this.#arrived) >= 1) return "nothing";
      this.#add(work);
    }
    this.#pay(work, costOf(bytes) - work.paidMs);
    this.#change(work, () => {
      work.costMs = costOf(bytes);
      work.isRead = true;
    });
    for (const other of this.#works) if (!other.isRead && other.number < work.number) this.end(other);
    // One alone has it, however large.
    return this.#works.size === 1 || this.#filled <= HEAD_START_SHARE_MAX ? "head start" : "log";
  }

  /** What is left of the request is mostly waiting, for the log and for shards. */
  wait(work: Work): void {
    if (!this.#works.has(work)) return;
    this.#change(work, () => {
      work.isWaiting = true;
    });
  }

  /** The request is answered. May be called again. What it has only said it would be it has not taken from others: it pays for a request without a body. */
  end(work: Work): void {
    if (!work.isRead && work.paidMs > REQUEST_MS) this.#pay(work, REQUEST_MS - work.paidMs);
    if (!this.#works.delete(work)) return;
    this.#loadOf(work).add(work, -1);
  }

  #pay(work: Work, ms: number): void {
    this.#pace.take(ms);
    work.paidMs += ms;
  }

  #add(work: Work): void {
    this.#works.add(work);
    this.#loadOf(work).add(work, 1);
  }

  /** In its place: works stay in their order. */
  #change(work: Work, change: () => void): void {
    this.#loadOf(work).add(work, -1);
    change();
    this.#loadOf(work).add(work, 1);
  }

  #loadOf(work: Work): Load {
    return work.isRead ? this.#arrived : this.#coming;
  }

  get #hasNoRoom(): boolean {
    return this.#filled >= 1 && this.#filledBy(this.#arrived) >= ARRIVED_SHARE_MIN;
  }

  get #filled(): number {
    return this.#filledBy(this.#arrived, this.#coming);
  }

  /** 1 is all there is room for. */
  #filledBy(...loads: readonly Load[]): number {
    const filled = sumOf(loads, "costMs") / WORK_MS_MAX;
    return this.#works.size < CROWD_REQUESTS_MIN
      ? filled
      : Math.max(filled, sumOf(loads, "leftMs") / CROWD_WORK_MS_MAX);
  }

  /** Counts a refusal, by its headers; answers how many there were since the last report when it is time for the next one. */
  refuse(headers: Headers, nowMs: number): number | undefined {
    this.#pace.refuse(lengthSaid(headers), nowMs);
    this.#refused += 1;
    if (nowMs - this.#reportedMs < REPORT_EVERY_MS) return undefined;
    this.#reportedMs = nowMs;
    const refused = this.#refused;
    this.#refused = 0;
    return refused;
  }
}

/** What some of the requests take in all. */
class Load {
  #requests = 0;
  costMs = 0;
  /** Of it, what is still to be done. */
  leftMs = 0;

  add(work: Work, sign: 1 | -1): void {
    this.#requests += sign;
    this.costMs += sign * work.costMs;
    this.leftMs += sign * work.leftMs;
    // Fractions do not add up to nothing.
    if (this.#requests === 0) this.costMs = this.leftMs = 0;
  }
}

const sumOf = (loads: readonly Load[], of: "costMs" | "leftMs") => loads.reduce((sum, load) => sum + load[of], 0);

const costOf = (bytes: number) => REQUEST_MS + (bytes / 1000) * KILOBYTE_MS;

/** Of the body, unpacked; 0 where the headers do not say: it is counted when it is there. */
function bytesSaid(headers: Headers): number {
  return lengthSaid(headers) * (headers.has("Content-Encoding") ? GZIP_RATIO : 1);
}

function lengthSaid(headers: Headers): number {
  const length = Number(headers.get("Content-Length"));
  return Number.isSafeInteger(length) && length > 0 ? length : 0;
}
