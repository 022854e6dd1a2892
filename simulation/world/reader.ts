import { readRange } from "../../workers/api/read-range.ts";
import type { ReportedWindow } from "./reported-window.ts";
import { type Sent, WINDOW_MS } from "./traffic.ts";
import type { World } from "./world.ts";

/** A read that takes longer has failed. */
const PATIENCE_MS = 60_000;

export interface Reading {
  readonly windows: readonly ReportedWindow[];
  /** Events it counts. */
  readonly counted: ReadonlySet<Sent>;
}

/**
 * Reads a merchant's windows as the api does, all or the latest, and has the model check them: what was counted when the read began is counted in it.
 * `undefined` when the read fails, as it may while something is away.
 */
export async function readMerchant(world: World, merchantId: string, sinceMs = 0): Promise<Reading | undefined> {
  const known = world.model.windowsOf(merchantId).filter((ms) => ms >= sinceMs);
  const [fromMs, lastMs] = [known[0], known.at(-1)];
  if (fromMs === undefined || lastMs === undefined) return { windows: [], counted: new Set() };
  const must = world.model.counted(merchantId).filter(({ windowMs }) => windowMs >= sinceMs);
  // What is sent while the read is under way may be in it, too: between the windows known now there are buckets for that.
  const boundsMs = [...new Set(known.flatMap((ms) => [ms, ms + WINDOW_MS]))].sort((a, b) => a - b);
  const query = { merchantId, fromMs, toMs: lastMs + WINDOW_MS, boundsMs, currencies: [] };
  const isInDoubt = world.doubtSince(world.scheduler.nowMs);
  const { machine, env } = world.api.any();
  const read = machine.run(async () => await readRange(env, query, Date.now())).catch(() => undefined);
  const gone = Promise.race([machine.crashed, world.scheduler.sleep(PATIENCE_MS)]).then(() => undefined);
  const answer = await Promise.race([read, gone]);
  world.note(`${machine.name} reads ${merchantId}${answer === undefined ? ", in vain" : ""}`);
  if (answer === undefined) return undefined;
  const windows: ReportedWindow[] = [];
  for (const [currency, buckets] of answer.currencies) {
    for (const [startMs, { report, revision }] of buckets) {
      if (known.includes(startMs)) windows.push({ merchantId, currency, startMs, revision, report });
    }
  }
  return { windows, counted: world.model.observe(windows, must, world.furthestMs, isInDoubt) };
}
