import { join } from "node:path";
import type { LocalSystem } from "../scripts/local-system.ts";
import { WORKERS_STATE_DIR } from "../scripts/local-system.ts";
import { WORKERD_PID_FILE } from "../scripts/runtime.ts";
import { sleep } from "../scripts/sleep.ts";
import { findWorkerd } from "../scripts/workerd-process.ts";
import { DAY_MS } from "../shared/window.ts";
import { type Archived, Receipts, readArchive } from "./accounting.ts";
import { faultsOf } from "./check-answer.ts";
import type { Described } from "./described.ts";
import { type FuzzCase, makeCase } from "./fuzz-case.ts";
import { GROWTH_MB_MAX, growthMb, PROCESS_GROWTH_MB_MAX, residentMb } from "./memory.ts";
import { NoAnswer, type RawAnswer, sendRaw } from "./raw-request.ts";
import { ANSWER_MS_MAX, silenceMsMax } from "./silence.ts";
import { HIDDEN_MERCHANT, HIDDEN_PAYMENT, plantWorld, type World } from "./world.ts";

const AT_ONCE = 24;
/** How long the log may take to archive and count what is in it: it waits five seconds for more, and rebuilds windows of late events one after the other. */
const SETTLE_MS_MAX = 180_000;
const SETTLE_POLL_MS = 500;
const MEMORY_SAMPLES = 100;
const FAULTS_KEPT_MAX = 50;
/** Of all cases, so many tables may be broken off for want of time, on a machine that has other work; of more, something is slow that need not be. */
const TABLES_BROKEN_OFF_SHARE_MAX = 1 / 10_000;
/** More than the age at which ingest takes an event (`HISTORY_AGE_MAX_DAYS`). */
const HISTORY_DAYS = 1_831;

export interface FuzzOrder {
  readonly seed: number;
  readonly first: number;
  readonly cases: number;
  readonly signal?: AbortSignal;
  /** Ids of requests whose tables the Workers have said they broke off, since ClickHouse had not the time: as it should be, if they say so. */
  readonly tablesBrokenOff?: ReadonlySet<string>;
  /** What the Workers' isolates hold together after garbage was collected, if that can be told; growth is not judged without it. */
  readonly heapMb?: () => Promise<number | undefined>;
  readonly onCase?: (done: number) => void;
}

export interface Fault {
  readonly index: number;
  readonly request: string;
  readonly what: string;
  readonly answer: string;
}

export interface FuzzReport {
  readonly seed: number;
  readonly first: number;
  /** That were sent. */
  readonly cases: number;
  /** Whether it was told to stop before all of them were. */
  readonly brokenOff: boolean;
  readonly seconds: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Problems by their codes. */
  readonly codes: Readonly<Record<string, number>>;
  readonly serverErrors: number;
  /** Tables that were broken off, as they have to be where there is no time for them. */
  readonly tablesBrokenOff: number;
  readonly slowestMs: number;
  /** Of the process: `samples` at even distances, for whoever wants to know whether it levels off. */
  readonly memoryMb: { readonly first: number; readonly last: number; readonly samples: readonly number[] };
  /** Of the Workers' isolates, at the same distances. */
  readonly heapMb: {
    readonly first: number;
    readonly last: number;
    /** `null` when the run was too short to tell. */
    readonly growth: number | null;
    readonly samples: readonly number[];
  };
  readonly archivedEvents: number;
  readonly countedEvents: number;
  readonly faults: readonly Fault[];
  readonly faultCount: number;
}

/** Sends the cases of an order to a system that nobody else uses, and compares at the end what it has taken with what it has said. */
export async function runFuzz(system: LocalSystem, stateDir: string, described: Described, order: FuzzOrder) {
  const world = await plantWorld(system.runtime.directory, described, Date.now());
  const run = new FuzzRun(system, join(stateDir, WORKERS_STATE_DIR, WORKERD_PID_FILE), world, order);
  return await run.run();
}

class FuzzRun {
  readonly #system: LocalSystem;
  readonly #pidFile: string;
  readonly #world: World;
  readonly #order: FuzzOrder;
  readonly #receipts = new Receipts();
  readonly #statuses = new Map<string, number>();
  readonly #codes = new Map<string, number>();
  readonly #faults: Fault[] = [];
  /** Answers that ended before they were whole, by request id: the log may tell why, a moment later. */
  readonly #endedEarly = new Map<string, Fault>();
  readonly #memoryMb: number[] = [];
  readonly #heapMb: number[] = [];
  #faultCount = 0;
  #serverErrors = 0;
  #slowestMs = 0;
  #next: number;
  #done = 0;

  constructor(system: LocalSystem, pidFile: string, world: World, order: FuzzOrder) {
    this.#system = system;
    this.#pidFile = pidFile;
    this.#world = world;
    this.#order = order;
    this.#next = order.first;
  }

  async run(): Promise<FuzzReport> {
    await this.#plantHidden();
    const beganMs = performance.now();
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work()));
    const seconds = (performance.now() - beganMs) / 1000;
    const { archived, countedEvents } = await this.#account();
    const tablesBrokenOff = this.#judgeEndedEarly();
    const growth = this.#judgeGrowth();
    return {
      ...{ seed: this.#order.seed, first: this.#order.first, cases: this.#done },
      brokenOff: this.#done < this.#order.cases,
      seconds: Math.round(seconds),
      statuses: sorted(this.#statuses),
      codes: sorted(this.#codes),
      serverErrors: this.#serverErrors,
      tablesBrokenOff,
      slowestMs: Math.round(this.#slowestMs),
      memoryMb: seriesOf(this.#memoryMb),
      heapMb: { ...seriesOf(this.#heapMb), growth },
      archivedEvents: archived.lines,
      countedEvents,
      faults: this.#faults,
      faultCount: this.#faultCount,
    };
  }

  /** The hidden merchant's one payment. It is in the books like all others. */
  async #plantHidden(): Promise<void> {
    const { startMs, tokens } = this.#world;
    const event = {
      ...HIDDEN_PAYMENT,
      type: "payment",
      merchant_id: HIDDEN_MERCHANT,
      occurred_at: startMs - 60_000,
      currency: "JPY",
    };
    const answer = await sendRaw(
      this.#system.runtime.ingestUrl,
      {
        ...{ method: "POST", target: "/v1/events", delivery: "whole", body: Buffer.from(JSON.stringify(event)) },
        headers: [
          ["Authorization", `Bearer ${tokens.source}`],
          ["Content-Type", "application/json"],
        ],
      },
      ANSWER_MS_MAX,
    );
    if (answer?.status !== 200) throw new Error(`the hidden merchant's payment was answered ${answer?.status}`);
    this.#receipts.note(answer);
  }

  async #work(): Promise<void> {
    const { first, cases, seed, signal, onCase } = this.#order;
    while (this.#next < first + cases && signal?.aborted !== true) {
      const one = makeCase(this.#world, seed, this.#next++);
      await this.#send(one);
      this.#done += 1;
      onCase?.(this.#done);
      if (this.#done % this.#casesASample === 0) await this.#sampleMemory();
    }
  }

  get #casesASample(): number {
    return Math.max(1, Math.floor(this.#order.cases / MEMORY_SAMPLES));
  }

  async #send(one: FuzzCase): Promise<void> {
    const { ingestUrl, apiUrl } = this.#system.runtime;
    const beganMs = performance.now();
    try {
      const answer = await sendRaw(
        one.worker === "ingest" ? ingestUrl : apiUrl,
        one.request,
        silenceMsMax(one.request),
      );
      if (answer === undefined) return this.#count(this.#statuses, "cut off");
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - beganMs);
      this.#note(one, answer);
    } catch (error) {
      // Whoever sends more than is taken may find the connection closed while it does.
      this.#count(this.#statuses, "none");
      const what = error instanceof NoAnswer ? error.message : String(error);
      const fault = { index: one.index, request: describe(one), what, answer: "" };
      if (error instanceof NoAnswer && error.requestId !== undefined) this.#endedEarly.set(error.requestId, fault);
      else this.#complain(one.index, fault.request, what, "");
    }
  }

  /** Complains of answers that ended early without a word in the log; answers how many there was one of. */
  #judgeEndedEarly(): number {
    let told = 0;
    for (const [requestId, { index, request, what }] of this.#endedEarly) {
      if (this.#order.tablesBrokenOff?.has(requestId)) told += 1;
      else this.#complain(index, request, `${what}, request ${requestId}`, "");
    }
    const toldMax = Math.ceil(TABLES_BROKEN_OFF_SHARE_MAX * this.#done);
    if (told > toldMax)
      this.#complain(-1, "", `${told} tables were broken off for want of time, more than ${toldMax}`, "");
    return told;
  }

  /** Answers by how much the Workers' heaps have grown, `null` when the run was too short to tell. */
  #judgeGrowth(): number | null {
    const process = growthMb(this.#memoryMb, this.#casesASample);
    const heaps = growthMb(this.#heapMb, this.#casesASample);
    const judge = (what: string, growth: number | null, growthMax: number) => {
      if (growth !== null && growth > growthMax) this.#complain(-1, "", `${what} grown by ${growth} MB`, "");
    };
    judge("the Workers' process has", process, PROCESS_GROWTH_MB_MAX);
    judge("the Workers' heaps have", heaps, GROWTH_MB_MAX);
    const isUnknown = this.#order.heapMb !== undefined && process !== null && heaps === null;
    if (isUnknown)
      this.#complain(-1, "", "what the Workers' heaps hold was told too seldom to judge whether they grow", "");
    return heaps;
  }

  #note(one: FuzzCase, answer: RawAnswer): void {
    this.#count(this.#statuses, String(answer.status));
    if (answer.status >= 500) this.#serverErrors += 1;
    const code = /"code":"(\w+)"/.exec(answer.status >= 400 ? answer.text : "")?.[1];
    if (code !== undefined) this.#count(this.#codes, code);
    for (const fault of faultsOf(one, answer, this.#world)) {
      this.#complain(one.index, describe(one), fault, `${answer.status} ${answer.text.slice(0, 400)}`);
    }
    if (one.worker === "ingest" && one.request.method === "POST" && answer.text.startsWith('{"accepted"')) {
      this.#receipts.note(answer);
    }
  }

  #complain(index: number, request: string, what: string, answer: string): void {
    this.#faultCount += 1;
    if (this.#faults.length < FAULTS_KEPT_MAX) this.#faults.push({ index, request, what, answer });
  }

  #count(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }

  async #sampleMemory(): Promise<void> {
    const pid = await findWorkerd(this.#pidFile);
    if (pid !== undefined) this.#memoryMb.push(await residentMb(pid));
    const heapMb = await this.#order.heapMb?.();
    if (heapMb !== undefined) this.#heapMb.push(heapMb);
  }

  /** Waits until the log has done with all it was given, then compares. */
  async #account(): Promise<{ readonly archived: Archived; readonly countedEvents: number }> {
    const { archive, directory } = this.#system.runtime;
    const endMs = Date.now() + SETTLE_MS_MAX;
    let archived = await readArchive(archive);
    while (archived.lines < this.#receipts.lines && Date.now() < endMs) {
      await sleep(SETTLE_POLL_MS);
      archived = await readArchive(archive);
    }
    for (const what of this.#receipts.differences(archived.linesByRequest)) this.#complain(-1, "", what, "");
    const waiting = () => directory.prepare("SELECT count(*) AS n FROM late_windows").first<number>("n");
    while ((await waiting()) !== 0 && Date.now() < endMs) await sleep(SETTLE_POLL_MS);
    let countedEvents = 0;
    for (const [merchant, { ids, idsInWindows }] of archived.byMerchant) {
      const counted = await this.#untilCounted(merchant, ids, endMs);
      countedEvents += counted;
      if (counted < ids || counted > idsInWindows) {
        this.#complain(-1, "", `${merchant}: ${counted} counted, ${ids} archived (${idsInWindows} by window)`, "");
      }
    }
    return { archived, countedEvents };
  }

  async #untilCounted(merchant: string, ids: number, endMs: number): Promise<number> {
    for (;;) {
      const counted = await this.#countedOf(merchant);
      if (counted >= ids || Date.now() > endMs) return counted;
      await sleep(SETTLE_POLL_MS);
    }
  }

  async #countedOf(merchant: string): Promise<number> {
    const { startMs, tokens } = this.#world;
    const target = `/v1/merchants/${merchant}/metrics?from=${startMs - HISTORY_DAYS * DAY_MS}&to=${startMs + DAY_MS}&granularity=1mo&tz=UTC`;
    const answer = await sendRaw(
      this.#system.runtime.apiUrl,
      {
        ...{ method: "GET", target, body: undefined, delivery: "whole" },
        headers: [
          ["Authorization", `Bearer ${tokens.operator}`],
          ["Cache-Control", "no-cache"],
        ],
      },
      ANSWER_MS_MAX,
    );
    if (answer?.status !== 200) throw new Error(`metrics of ${merchant}: ${answer?.status} ${answer?.text}`);
    const { series } = JSON.parse(answer.text) as { series: { total: { payments: Count; refunds: Count } }[] };
    return series.reduce((sum, { total }) => sum + total.payments.count + total.refunds.count, 0);
  }
}

interface Count {
  readonly count: number;
}

function describe({ worker, caller, request: { method, target, headers, body, delivery } }: FuzzCase): string {
  const shown = headers.map(([name, value]) => `${name}: ${/^authorization$/i.test(name) ? "…" : value.slice(0, 60)}`);
  const start =
    body === undefined
      ? ""
      : ` ${body.byteLength} bytes: ${JSON.stringify(Buffer.from(body.subarray(0, 200)).toString())}`;
  return `${caller} → ${worker} ${method} ${target.slice(0, 200)} [${shown.join("; ")}] ${delivery}${start}`;
}

function seriesOf(samples: readonly number[]) {
  return { first: samples[0] ?? Number.NaN, last: samples.at(-1) ?? Number.NaN, samples };
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => a.localeCompare(b)));
}
