import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import { fromBase64url, toBase64url } from "../bytes.ts";
import { invalidParameter, type Problem } from "../http/problem.ts";
import { type Query, readQuery } from "../http/query-string.ts";

export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1_000;

export const PAGE_PARAMETERS = ["limit", "cursor"] as const;

/** What `limit` and `cursor` ask for: so many items, from after this position on. */
export interface PageRequest<Position> {
  readonly limit: number;
  readonly after: Position | undefined;
}

export const nextCursorSchema = z
  .string()
  .nullable()
  .meta({
    description: "Give it as `cursor` to get the next page; null on the last one.",
    examples: ["WyJzaG9wLTEiXQ"],
  });

/** A cursor is its list's position as JSON, in base64url: opaque to callers, and checked here. */
export function parsePage<Position>(
  query: Query,
  position: z.ZodType<Position>,
): Result<PageRequest<Position>, Problem> {
  const limit = Number(query.limit ?? PAGE_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
    return err(invalidParameter("limit", "invalid_limit", `An integer from 1 to ${PAGE_MAX}.`));
  }
  if (query.cursor === undefined) return ok({ limit, after: undefined });
  const after = position.safeParse(decode(query.cursor));
  if (after.success) return ok({ limit, after: after.data });
  return err(
    invalidParameter("cursor", "invalid_cursor", "Give the next_cursor of the page before, or none for the first."),
  );
}

/** Cuts what was read, one more than asked for, to a page; `next_cursor` is null when nothing follows. */
export function pageOf<Item>(
  items: readonly Item[],
  { limit }: PageRequest<unknown>,
  positionOf: (item: Item) => unknown,
): { readonly items: readonly Item[]; readonly next_cursor: string | null } {
  const page = items.slice(0, limit);
  const last = page.at(-1);
  const isLast = items.length <= limit || last === undefined;
  return { items: page, next_cursor: isLast ? null : encodeCursor(positionOf(last)) };
}

/** A list that is read by pages. */
export interface List<Position, Row> {
  /** Its parameters beside `limit` and `cursor`. */
  readonly filters?: readonly string[];
  /** Where a page ends, and the next begins after it. */
  readonly position: z.ZodType<Position>;
  readonly positionOf: (row: Row) => Position;
  /** Rows in their order, up to `limit` of them, from `after` on; or what is wrong with a filter. */
  readonly read: (
    request: { readonly after: Position | undefined; readonly limit: number },
    query: Query,
  ) => Promise<Result<readonly Row[], Problem>>;
}

/** The page of a list that a query string asks for. */
export async function readPage<Position, Row>(
  given: Readonly<Record<string, string[]>>,
  { filters = [], position, positionOf, read }: List<Position, Row>,
): Promise<Result<{ readonly items: readonly Row[]; readonly next_cursor: string | null }, Problem>> {
  const query = readQuery(given, [...PAGE_PARAMETERS, ...filters]);
  if (!query.ok) return query;
  const page = parsePage(query.value, position);
  if (!page.ok) return page;
  const { after, limit } = page.value;
  const rows = await read({ after, limit: limit + 1 }, query.value);
  return rows.ok ? ok(pageOf(rows.value, page.value, positionOf)) : rows;
}

export function encodeCursor(position: unknown): string {
  return toBase64url(new TextEncoder().encode(JSON.stringify(position)));
}

function decode(cursor: string): unknown {
  const bytes = cursor.length > 500 ? undefined : fromBase64url(cursor);
  try {
    return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
