import { type Problem, problemBody, problemHeaders } from "../http/problem.ts";
import { newRequestId, REQUEST_ID_HEADER } from "../http/request-id.ts";
import { secureHeaders } from "../http/secure-headers.ts";

/** A sender that waits for so long finds room as a rule: what was under way is done in a fraction of it. */
const RETRY_AFTER_S = 1;

export const overloaded: Problem = {
  status: 503,
  code: "overloaded",
  title: "Too much is being sent at once",
  detail: "Nothing of this request was taken. Send all of it again after Retry-After: events are counted once.",
  retryAfterS: RETRY_AFTER_S,
};

const BODY = problemBody(overloaded);
/** An answer takes a copy of them, so that the one header that differs is set here. */
const HEADERS = headersTo("http:");
const HEADERS_OVER_TLS = headersTo("https:");

function headersTo(url: string): Headers {
  const headers = problemHeaders(overloaded);
  for (const [name, value] of secureHeaders(url)) headers.set(name, value);
  return headers;
}

/** The answer of an isolate that is full: all of it but the request's id is made beforehand. */
export function overloadedResponse(url: string): Response {
  const headers = url.startsWith("https:") ? HEADERS_OVER_TLS : HEADERS;
  headers.set(REQUEST_ID_HEADER, newRequestId());
  return new Response(BODY, { status: overloaded.status, headers });
}
