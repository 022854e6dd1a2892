import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import { HOUR_MS } from "../../shared/window.ts";
import { createErasure, type Erasure, listErasures } from "../directory/erasures.ts";
import { invalidParameter, type Problem } from "../http/problem.ts";
import { parseInstant } from "./instant.ts";
import { nextCursorSchema, readPage } from "./page.ts";

/** As many as go through the archive together at no further cost. */
export const ERASED_USERS_MAX = 1_000;
/** Events may be dated so far ahead. */
const AHEAD_MS = HOUR_MS;

/** The body of `POST /v1/admin/erasures`. */
export const erasureRequestSchema = z.strictObject({
  user_hashes: z
    .array(z.string().regex(/^[0-9a-f]{16}$/, "16 hex digits, as events show them in user.id_hash"))
    .min(1)
    .max(ERASED_USERS_MAX)
    .meta({ description: "As events show them in `user.id_hash`. The log leaves them out." }),
  to: z
    .union([z.int().min(0), z.string().max(64)])
    .optional()
    .meta({
      description: "Events before; as in reads, in UTC. All that there are now if left out.",
      examples: ["now"],
    }),
});

const time = z.string().meta({ description: "RFC 3339, UTC", examples: ["2026-11-23T01:02:03.000Z"] });
const count = z.int().min(0);

export const erasureSchema = z
  .strictObject({
    id: z.string(),
    state: z.enum(["running", "done"]),
    users: count,
    to: time,
    erased_through: time.meta({ description: "Event hours before are done; later ones are once they are final." }),
    events: count.meta({ description: "That had one of the hashes." }),
    files: count.meta({ description: "Of the archive that were written anew." }),
    dead_letters: count.meta({ description: "That had one of the hashes, and were written anew." }),
    unreadable: count.meta({ description: "Damaged objects of the archive, which were left as they are." }),
    unreadable_dead_letters: count.meta({
      description:
        "That cannot be read: it is not done while there are any. Each is discarded a week after the erasure was asked for, or after it died if that was later.",
    }),
    failure: z.string().optional().meta({ description: "Why the last pass failed; it is tried again." }),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: "Erasure" });
export const erasuresSchema = z.strictObject({ erasures: z.array(erasureSchema), next_cursor: nextCursorSchema });

/** Begins to take users out of the archive. */
export async function beginErasure(
  directory: D1Database,
  { user_hashes, to }: z.output<typeof erasureRequestSchema>,
  nowMs: number,
): Promise<Result<z.output<typeof erasureSchema>, Problem>> {
  const moment =
    to === undefined ? ok(nowMs + AHEAD_MS) : typeof to === "number" ? ok(to) : parseInstant(to, "UTC", nowMs);
  if (!moment.ok) return err(invalidParameter("to", "invalid_time", moment.error.hint));
  const toMs = Math.min(Math.ceil(moment.value / HOUR_MS) * HOUR_MS, nowMs + 2 * AHEAD_MS);
  return ok(present(await createErasure(directory, [...new Set(user_hashes)], toMs, nowMs)));
}

const positionSchema = z.strictObject({ createdAt: z.int(), id: z.string() });

/** A page of erasures, the newest first. */
export async function showErasures(
  directory: D1Database,
  given: Readonly<Record<string, string[]>>,
): Promise<Result<z.output<typeof erasuresSchema>, Problem>> {
  const page = await readPage(given, {
    position: positionSchema,
    positionOf: ({ createdAt, id }: Erasure) => ({ createdAt, id }),
    read: async ({ after, limit }) => ok(await listErasures(directory, after, limit)),
  });
  if (!page.ok) return page;
  const { items, next_cursor } = page.value;
  return ok({ erasures: items.map(present), next_cursor });
}

export function present(erasure: Erasure): z.output<typeof erasureSchema> {
  const { id, state, users, toMs, nextMs, events, files, letters, unreadable, unreadableLetters, failure } = erasure;
  const { createdAt, updatedAt } = erasure;
  return {
    ...{ id, state, users },
    to: new Date(toMs).toISOString(),
    erased_through: new Date(Math.min(nextMs, toMs)).toISOString(),
    ...{ events, files, dead_letters: letters, unreadable, unreadable_dead_letters: unreadableLetters },
    ...(failure === null ? {} : { failure }),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
  };
}
