import {
  cutOf,
  HISTORY_FORMAT,
  HISTORY_SETTINGS,
  type HistoryRange,
  type HistoryStatement,
  queryHistory,
  reportsStatement,
  revisionsStatement,
} from "../workers/api/history.ts";
import type { ReadHistoryEnv } from "../workers/api/retention.ts";
import { cutIntoTiers } from "../workers/api/tiers.ts";
import { median } from "./numbers.ts";

/** A question put to history, of the `at`-th merchant. */
export interface Question {
  readonly key: string;
  readonly text: string;
  readonly range: (at: number) => HistoryRange;
}

export interface Read {
  readonly key: string;
  readonly text: string;
  /** Medians: of our call, and of the same SQL sent straight over HTTP with its answer read as text. */
  readonly ms: number;
  readonly bareMs: number;
  /** The median of the rounds' own ratios of the two: what slows the machine down does so for both calls of a round. */
  readonly overBare: number;
  readonly buckets: number;
}

export interface ReadOptions {
  readonly rounds: number;
  readonly log: (line: string) => void;
}

const WARM_UPS = 3;

/** Asks each question in turn, each time both ways, first one and then the other first, so that neither finds more in caches. */
export async function measureReads(
  env: ReadHistoryEnv,
  questions: readonly Question[],
  { rounds, log }: ReadOptions,
): Promise<Read[]> {
  const reads: Read[] = [];
  for (const { key, text, range } of questions) {
    const ours: number[] = [];
    const bare: number[] = [];
    let buckets = 0;
    for (let round = -WARM_UPS; round < rounds; round++) {
      const asked = range(round + WARM_UPS);
      const nowMs = Date.now();
      const askOurs = async () => {
        const ms = await msOf(async () => {
          buckets = (await queryHistory(env, asked, nowMs)).length;
        });
        if (round >= 0) ours.push(ms);
      };
      const askBare = async () => {
        const ms = await msOf(() => bareRead(env, asked, nowMs));
        if (round >= 0) bare.push(ms);
      };
      for (const ask of round % 2 === 0 ? [askOurs, askBare] : [askBare, askOurs]) await ask();
    }
    if (buckets === 0) throw new Error(`${key}: history is empty`);
    const overBare = median(ours.map((ms, at) => ms / (bare[at] ?? Number.NaN)));
    reads.push({ key, text, ms: median(ours), bareMs: median(bare), overBare, buckets });
    log(`${text}: ${median(ours).toFixed(1)} ms, ${median(bare).toFixed(1)} ms bare, ${buckets} buckets`);
  }
  return reads;
}

export async function msOf(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

/** The same statements as our call sends when every roll-up is up to date, also at the same time. */
export async function bareRead(env: ReadHistoryEnv, range: HistoryRange, nowMs: number): Promise<void> {
  const cut = cutOf(env, range, nowMs);
  const tiers = cutIntoTiers(range.spans, cut);
  const check = revisionsStatement(range, tiers, cut.keptFromMs);
  await Promise.all([
    bareQuery(env, reportsStatement(range, tiers, cut.keptFromMs)),
    check === undefined ? undefined : bareQuery(env, check),
  ]);
}

/** The statement as a form, the settings in the URL, the answer as text: what a client does at the least. */
async function bareQuery(env: ReadHistoryEnv, { query, query_params }: HistoryStatement): Promise<string> {
  const url = new URL(env.CLICKHOUSE_URL);
  const settings = { ...HISTORY_SETTINGS, database: env.CLICKHOUSE_DATABASE, default_format: HISTORY_FORMAT };
  for (const [name, value] of Object.entries(settings)) url.searchParams.set(name, String(value));
  const form = new FormData();
  form.set("query", query);
  for (const [name, value] of Object.entries(query_params)) form.set(`param_${name}`, valueText(value));
  const headers = { "X-ClickHouse-User": env.CLICKHOUSE_USER, "X-ClickHouse-Key": env.CLICKHOUSE_PASSWORD };
  const answer = await fetch(url, { method: "POST", headers, body: form });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`ClickHouse: ${text}`);
  return text;
}

const valueText = (value: unknown) => (Array.isArray(value) ? `[${value.join(",")}]` : String(value));
