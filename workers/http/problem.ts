import { withoutKeySecrets } from "../directory/key.ts";

/** RFC 9457 problem details: the one shape of every error body. */
export interface Problem {
  readonly status: number;
  /** Stable and machine-readable; `type` is made of it. */
  readonly code: string;
  readonly title: string;
  readonly detail?: string;
  /** Seconds after which a retry makes sense; sent as `Retry-After`. */
  readonly retryAfterS?: number;
  /** The method that would be right; sent as `Allow`. */
  readonly allow?: string;
  /** Further members, such as the parameter at fault or the receipt. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** What was sent may be told again in it, but no key. */
export function problemResponse(problem: Problem): Response {
  return new Response(problemBody(problem), { status: problem.status, headers: problemHeaders(problem) });
}

export function problemHeaders({ status, retryAfterS, allow }: Problem): Headers {
  const headers = new Headers({ "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
  if (retryAfterS !== undefined) headers.set("Retry-After", String(retryAfterS));
  if (allow !== undefined) headers.set("Allow", allow);
  if (status === 401) headers.set("WWW-Authenticate", 'Bearer realm="tally"');
  return headers;
}

export function problemBody({ status, code, title, detail, extensions }: Problem): string {
  const body = { type: `urn:tally:problem:${code}`, title, status, code, detail, ...extensions };
  return withoutKeySecrets(JSON.stringify(body));
}

export const unauthorized = (detail: string): Problem => ({
  status: 401,
  code: "unauthorized",
  title: "No valid key",
  detail,
});

/** `detail` says what would be right. */
export const invalidParameter = (parameter: string, code: string, detail: string): Problem => ({
  status: 400,
  code,
  title: "A parameter is wrong",
  detail,
  extensions: { parameter },
});

export const notFound = (path: string): Problem => ({
  status: 404,
  code: "not_found",
  title: "No such resource",
  detail: `Nothing answers at ${path}.`,
});

/** What a caller is told of a failure that is ours: nothing of the cause, which goes to the log. */
export const internalError: Problem = {
  status: 500,
  code: "internal_error",
  title: "Something went wrong on our side",
  detail: "The error has been logged. Retrying is safe: events are counted once.",
};

export const methodNotAllowed = (allow: string): Problem => ({
  status: 405,
  code: "method_not_allowed",
  title: "Method not allowed",
  detail: `Use ${allow}.`,
  allow,
});

export const directoryUnavailable: Problem = {
  status: 503,
  code: "directory_unavailable",
  title: "Keys cannot be checked right now",
  detail: "Nothing was done; retrying is safe.",
  retryAfterS: 5,
};
