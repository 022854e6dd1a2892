import { z } from "zod";
import { MERCHANT_ID_PATTERN } from "../../shared/event.ts";
import { err, ok, type Result } from "../../shared/result.ts";
import { finalHoursThrough, HOUR_MS } from "../../shared/window.ts";
import {
  cancelReplay,
  createReplay,
  differencesOf,
  foundBy,
  listReplays,
  type Replay,
  type ReplayDifference,
  type ReplayPass,
  readReplay,
} from "../directory/replays.ts";
import type { Problem } from "../http/problem.ts";
import { parseInstant } from "./instant.ts";
import { readPage } from "./page.ts";

export const DIFFERENCES_LISTED_MAX = 1_000;
/** No event is kept for longer, whatever is configured. */
const SPAN_MS_MAX = 20 * 366 * 24 * HOUR_MS;

const moment = z
  .union([z.int().min(0), z.string().max(64)])
  .meta({ description: "As in reads, in UTC", examples: ["2026-11-01", "2026-11-01T09:00:00Z", 1_793_491_200_000] });

/** The body of `POST /v1/admin/replays`. */
export const replayRequestSchema = z.strictObject({
  from: moment,
  to: moment,
  merchant: z.string().regex(MERCHANT_ID_PATTERN).optional(),
  dry_run: z.boolean().default(false),
});

/**
 * Begins a replay of the hours of a span: widened to whole hours, and ended where windows are not final yet, since those are the shards' to
 * count.
 */
export async function beginReplay(
  directory: D1Database,
  body: unknown,
  nowMs: number,
): Promise<Result<object, Problem>> {
  const request = replayRequestSchema.safeParse(body);
  if (!request.success) return err(refusal("invalid_body", z.prettifyError(request.error)));
  const { merchant, dry_run } = request.data;
  const moments = parseMoments(request.data, nowMs);
  if (!moments.ok) return moments;
  const [from, to] = moments.value;
  if (from >= to) return err(refusal("empty_range", "to must be later than from."));
  if (to - from > SPAN_MS_MAX) return err(refusal("too_long", "A replay takes twenty years at most."));
  const fromMs = from - (from % HOUR_MS);
  const toMs = Math.min(Math.ceil(to / HOUR_MS) * HOUR_MS, finalHoursThrough(nowMs));
  if (fromMs >= toMs) {
    return err(
      refusal(
        "not_final",
        `Windows are counted by their shards until they are final; a replay reaches to ${new Date(finalHoursThrough(nowMs)).toISOString()} now.`,
      ),
    );
  }
  const asked = { askedBy: "operator" as const, fromMs, toMs, merchantId: merchant ?? null, dryRun: dry_run };
  const replay = await createReplay(directory, asked, nowMs);
  return ok(present(replay, []));
}

function parseMoments(
  asked: Pick<z.output<typeof replayRequestSchema>, "from" | "to">,
  nowMs: number,
): Result<[from: number, to: number], Problem> {
  const parsed: number[] = [];
  for (const name of ["from", "to"] as const) {
    const given = asked[name];
    const moment = typeof given === "number" ? ok(given) : parseInstant(given, "UTC", nowMs);
    if (!moment.ok) return err({ ...refusal("invalid_time", moment.error.hint), extensions: { parameter: name } });
    parsed.push(moment.value);
  }
  const [from = 0, to = 0] = parsed;
  return ok([from, to]);
}

/** One replay with what it has found so far, and the windows that differ; `undefined` when there is none. */
export async function showReplay(directory: D1Database, id: string): Promise<object | undefined> {
  const replay = await readReplay(directory, id);
  if (replay === undefined) return undefined;
  const [passes, differences] = await Promise.all([
    foundBy(directory, id),
    differencesOf(directory, id, DIFFERENCES_LISTED_MAX),
  ]);
  return {
    ...present(replay, passes),
    damaged_objects: passes.flatMap(({ damaged }) => damaged),
    differences: differences.map(presentDifference),
  };
}

const positionSchema = z.strictObject({ createdAt: z.int(), id: z.string() });

/** A page of replays, the newest first. */
export async function showReplays(
  directory: D1Database,
  given: Readonly<Record<string, string[]>>,
): Promise<Result<object, Problem>> {
  const page = await readPage(given, {
    position: positionSchema,
    positionOf: ({ createdAt, id }: Replay) => ({ createdAt, id }),
    read: async ({ after, limit }) => ok(await listReplays(directory, after, limit)),
  });
  if (!page.ok) return page;
  const { items, next_cursor } = page.value;
  return ok({ replays: items.map((replay) => present(replay)), next_cursor });
}

/** False when there is none that runs. */
export async function endReplay(directory: D1Database, id: string, nowMs: number): Promise<boolean> {
  return await cancelReplay(directory, id, nowMs);
}

export function presentDifference(one: ReplayDifference) {
  return {
    window: new Date(one.windowStart).toISOString(),
    merchant: one.merchantId,
    currency: one.currency,
    verdict: one.verdict,
    archived: { events: one.archivedEvents, payments_amount: one.archivedAmount },
    stored: { events: one.storedEvents, payments_amount: one.storedAmount },
  };
}

function present(replay: Replay, passes?: readonly ReplayPass[]) {
  const { id, askedBy, fromMs, toMs, merchantId, dryRun, state, nextMs, slice, slices, failure, createdAt, updatedAt } =
    replay;
  const done = nextMs - fromMs + (slice / slices) * HOUR_MS;
  return {
    id,
    asked_by: askedBy,
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    ...(merchantId === null ? {} : { merchant: merchantId }),
    dry_run: dryRun,
    state,
    progress: Math.min(1, done / (toMs - fromMs)),
    ...(failure === null ? {} : { failure }),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
    ...(passes === undefined ? {} : { windows: sumOf(passes), events: total(passes, "events") }),
  };
}

const VERDICTS = ["equal", "changed", "missing", "short", "unarchived"] as const;

/** How many windows have each verdict. */
export function windowsOf(found: Readonly<Record<(typeof VERDICTS)[number], number>>): Record<string, number> {
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, found[verdict]]));
}

const sumOf = (passes: readonly ReplayPass[]) =>
  Object.fromEntries(VERDICTS.map((verdict) => [verdict, total(passes, verdict)]));

function total(passes: readonly ReplayPass[], field: (typeof VERDICTS)[number] | "events"): number {
  return passes.reduce((sum, pass) => sum + pass[field], 0);
}

function refusal(code: string, detail: string): Problem {
  return { status: 422, code, title: "No replay was begun", detail };
}
