import type { z } from "zod";
import type { ProblemCode } from "./problems.ts";

export const TAGS = {
  Collect: "What the payment app's backends post to: the ingest Worker.",
  Read: "A merchant's numbers, and the payments behind them.",
  Access: "Keys, and the dashboard's sessions.",
  Alerts: "Being told of what goes wrong, by signed webhooks.",
  Operate: "Sources, merchants, replays, audit, dead letters: operators only.",
} as const;
export type Tag = keyof typeof TAGS;

/** A body by its media type; one without a schema is described by its example alone. */
export interface Content {
  readonly schema?: z.ZodType;
  readonly example?: unknown;
}

export interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, Content>>;
  /** Names of `HEADERS`, beside those every answer has. */
  readonly headers?: readonly HeaderName[];
}

/** What one route does, for those who call it. Its path and method are its name in the table, as in that of access. */
export interface Operation {
  readonly tag: Tag;
  /** Of the client's method, in camel case: unique. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly headers?: z.ZodObject;
  readonly body?: { readonly isRequired: boolean; readonly content: Readonly<Record<string, Content>> };
  readonly answers: Readonly<Record<number, Answer>>;
  /** Beside those of `COMMON_PROBLEMS`. */
  readonly problems: readonly ProblemCode[];
}

/** By method and path as they are registered. */
export type OperationTable = Readonly<Record<string, Operation>>;

export const HEADERS = {
  "X-Request-Id": {
    description: "Names the request in our log; quote it when you ask about it.",
    example: "9d5c1f0e-…",
  },
  "RateLimit-Policy": {
    description:
      'Requests allowed in a window of seconds (draft-ietf-httpapi-ratelimit-headers): of a key or source (`"requests"`), or, without a valid key, of an address (`"address"`).',
    example: '"requests";q=5000;w=10',
  },
  RateLimit: {
    description: "What is left of it at least, and in how many seconds it begins anew.",
    example: '"requests";r=4987;t=7',
  },
  "Retry-After": { description: "Seconds after which a retry makes sense.", example: "5" },
  "WWW-Authenticate": { description: "How to authenticate.", example: 'Bearer realm="tally"' },
  "Preference-Applied": { description: "`respond-async`, where that was asked for.", example: "respond-async" },
  "Set-Cookie": {
    description: "The session: HttpOnly, SameSite; ends with the key it was made of.",
    example: "__Host-tally_session=…",
  },
  "Content-Disposition": {
    description: "A name for the file.",
    example: 'attachment; filename="tally-metrics-cafe-hoshino-2026-01-01-2027-01-01.csv"',
  },
  "Tally-Notices": {
    description:
      "Of CSV: the codes of `notices`, and `truncated` when rows were left out; not there when there are none.",
    example: "late_events_pending",
  },
  ETag: {
    description: "Send it as `If-None-Match`; 304 means that nothing has changed.",
    example: '"5d41402abc4b2a76"',
  },
  "Cache-Control": {
    description: "Keep the answer, and ask each time whether it still holds: send its `ETag`.",
    example: "private, max-age=0, must-revalidate",
  },
  "Cache-Status": {
    description:
      "Where the answer is from (RFC 9211). `fwd=stale`: what it is made of cannot be asked right now, and it is of up to an hour ago. Send `Cache-Control: no-cache` to have an answer that is kept checked before you get it.",
    example: "tally; hit; ttl=540",
  },
} as const;
export type HeaderName = keyof typeof HEADERS;
