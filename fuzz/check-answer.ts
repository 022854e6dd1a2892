import { PROBLEMS } from "../workers/openapi/problems.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import type { RawAnswer } from "./raw-request.ts";
import type { World } from "./world.ts";

/** What no answer may hold: places in our code, statements, words of what stands behind us. Not of a page, which may explain them. */
const INSIDES =
  /\bat \S+ \(|\bat [\w.]*\S*\.(?:js|ts):\d|\b(?:Type|Reference|Range|Syntax)Error\b|SELECT\s|INSERT INTO|\bD1_ERROR|SQLITE|DB::Exception|\[object Object\]|\bworkerd\b|node_modules/;
/** The statuses of each code that the description of the API has. */
const DESCRIBED: ReadonlyMap<string, readonly number[]> = new Map(
  Object.entries(PROBLEMS).map(([code, { statuses }]) => [code, statuses]),
);
const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
/** The runtime's own, to what is no HTTP that it takes: no Worker has seen the request. */
const RUNTIME_STATUSES = new Set([400, 431]);

/** What is wrong with an answer, in words; none when it is as it may be. Pure. */
export function faultsOf({ request, caller, worker }: FuzzCase, answer: RawAnswer, world: World): string[] {
  const { status, headers, text } = answer;
  const faults: string[] = [];
  if (status >= 500) faults.push(`status ${status}`);
  const requestId = headers.get("x-request-id");
  if (requestId === undefined && RUNTIME_STATUSES.has(status) && text.startsWith("ERROR:")) return faults;
  const isAsset = requestId === undefined && worker === "api" && !/^\/(?:v1\/|healthz)/i.test(request.target);
  if (isAsset) return faults;
  if (!REQUEST_ID.test(requestId ?? "")) faults.push(`X-Request-Id is ${requestId}`);
  if (headers.has("x-injected")) faults.push("a header was injected");
  faults.push(...(status >= 400 && request.method !== "HEAD" ? problemFaults(answer) : []));
  const sent = [request.target, ...request.headers.flat(), Buffer.from(request.body ?? []).toString("latin1")].join(
    "\n",
  );
  // The log shows what others have sent.
  const insides = request.target.startsWith("/v1/admin/log") ? undefined : INSIDES.exec(text)?.[0];
  if (insides !== undefined && !sent.includes(insides.trim())) faults.push(`the answer has ${JSON.stringify(insides)}`);
  if (caller !== "hidden merchant" && caller !== "operator") {
    const seen = world.hiddenMarks.find(
      (mark) => text.includes(mark) || [...headers.values()].some((value) => value.includes(mark)),
    );
    if (seen !== undefined) faults.push(`${caller} sees ${seen} of another merchant`);
  }
  return faults;
}

function problemFaults({ status, headers, text }: RawAnswer): string[] {
  const type = headers.get("content-type");
  if (type !== "application/problem+json") return [`an error as ${type}`];
  const problem = parse(text);
  if (problem === undefined) return ["an error that is no JSON"];
  const { code, status: said, title } = problem;
  if (said !== status || typeof title !== "string") return [`a problem of ${String(said)} for ${status}`];
  const described = DESCRIBED.get(String(code));
  if (described === undefined) return [`${String(code)} is not described`];
  if (!described.includes(status)) return [`${String(code)} is not described for ${status}`];
  if (status === 405 && !headers.has("allow")) return ["405 without Allow"];
  if ((status === 429 || status === 503) && !headers.has("retry-after")) return [`${status} without Retry-After`];
  return [];
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
