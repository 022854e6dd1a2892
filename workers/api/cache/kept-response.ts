import { acceptsGzip, isNotModified } from "../../http/conditional.ts";
import type { Origin } from "./cached-reads.ts";
import type { KeptAnswer } from "./kept-answer.ts";

/** A client keeps an answer and asks each time whether it still holds: no client could be told of a replay. */
const CLIENT_CACHE_CONTROL = "private, max-age=0, must-revalidate";
/** Without a tag nobody could be told that it still holds. */
const UNTAGGED_CACHE_CONTROL = "private, no-store";
const VARY = "Accept, Accept-Encoding, Authorization, Cookie";
/** What is shorter gains nothing by being compressed. */
const COMPRESSED_BYTES_MIN = 1_024;
/** The platform compresses JSON on its way out, and no CSV (Cloudflare, "Content compression"). */
const COMPRESSED_AT_THE_EDGE = /^application\/(?:json|problem\+json)\b/;

/** The answer to a request, `304` where the client has it. The body is sent as it is kept: nobody parses it. */
export function keptResponse(request: Request, answer: KeptAnswer, origin: Origin, nowMs: number): Response {
  if (origin === "stale") return staleResponse(answer, nowMs);
  const isGzip = isOursToCompress(request, answer);
  if (answer.tag !== "" && isNotModified(request.headers.get("If-None-Match"), answer.tag)) {
    return new Response(null, { status: 304, headers: validators(answer, origin, nowMs, isGzip) });
  }
  if (origin === "isolate" && !isGzip) return new Response(answer.body, { headers: hitHeaders(answer, nowMs) });
  const headers = new Headers(validators(answer, origin, nowMs, isGzip));
  headers.set("Content-Type", answer.contentType);
  if (isGzip) headers.set("Content-Encoding", "gzip");
  return new Response(answer.body, { headers });
}

function validators(answer: KeptAnswer, origin: Exclude<Origin, "stale">, nowMs: number, isGzip: boolean) {
  const { tag, headers } = answer;
  return {
    ...headers,
    "Cache-Control": tag === "" ? UNTAGGED_CACHE_CONTROL : CLIENT_CACHE_CONTROL,
    "Cache-Status": cacheStatus(answer, origin, nowMs),
    // Compressed by whom it may, it is not the same bytes any more.
    ...(tag !== "" && { ETag: isGzip ? `W/"${tag}"` : `"${tag}"` }),
    Vary: VARY,
  };
}

/** Headers of hits, which those of a second share: a copy is made by the runtime, without each name and value being handed over anew. */
const ofThisSecond = new WeakMap<KeptAnswer, { readonly second: number; readonly headers: Headers }>();

function hitHeaders(answer: KeptAnswer, nowMs: number): Headers {
  const second = Math.floor(nowMs / 1_000);
  const made = ofThisSecond.get(answer);
  if (made?.second === second) return made.headers;
  const headers = new Headers({ ...validators(answer, "isolate", nowMs, false), "Content-Type": answer.contentType });
  ofThisSecond.set(answer, { second, headers });
  return headers;
}

/** RFC 9211: where the answer is from, and for how many seconds it may be given again, unless the shards or a correction say otherwise. */
function cacheStatus({ expiresMs }: KeptAnswer, origin: Exclude<Origin, "stale">, nowMs: number): string {
  const ttl = Math.max(0, Math.floor((expiresMs - nowMs) / 1_000));
  switch (origin) {
    case "isolate":
      return `tally; hit; ttl=${ttl}`;
    case "edge":
      return `tally; hit; ttl=${ttl}; detail=edge`;
    case "computed":
      return `tally; fwd=miss; ttl=${ttl}`;
    case "shared":
      return `tally; fwd=miss; collapsed; ttl=${ttl}`;
    default:
      return origin satisfies never;
  }
}

/**
 * Yesterday's news, which says so, for programs in the headers and for whoever reads the body as its first member. It has no tag: what it would
 * confirm is not known.
 */
function staleResponse({ body, contentType, headers: own, expiresMs }: KeptAnswer, nowMs: number): Response {
  const ttl = Math.floor((expiresMs - nowMs) / 1_000);
  const headers = {
    ...own,
    "Cache-Control": "private, no-store",
    "Cache-Status": `tally; fwd=stale; fwd-status=503; ttl=${Math.min(ttl, 0)}`,
    "Content-Type": contentType,
    Vary: VARY,
    Warning: '111 tally "Revalidation Failed"',
  };
  const isObject = contentType.startsWith("application/json") && body[0] === OPENING_BRACE;
  return new Response(isObject ? joined(STALE_MEMBER, body.subarray(1)) : body, { headers });
}

const OPENING_BRACE = 0x7b;
const STALE_MEMBER = new TextEncoder().encode('{"stale":true,');

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.byteLength + tail.byteLength);
  whole.set(head);
  whole.set(tail, head.byteLength);
  return whole;
}

/** Where there is no edge before us, as on one machine, or it leaves the type alone. The runtime compresses what says that it is. */
function isOursToCompress({ headers }: Request, { body, contentType }: KeptAnswer): boolean {
  if (body.byteLength < COMPRESSED_BYTES_MIN || !acceptsGzip(headers.get("Accept-Encoding"))) return false;
  return !(headers.has("CF-Ray") && COMPRESSED_AT_THE_EDGE.test(contentType));
}
