import { afterEach, expect, test } from "vitest";
import {
  type Answer,
  allAccepted,
  type IngestStandIn,
  ingestStandIn,
  type SeenRequest,
} from "../test/ingest-stand-in.ts";
import { BACKOFF_FIRST_MS } from "./backoff.ts";
import { ATTEMPTS_MAX, eventsUrl, type PostDeps, postBatch } from "./post-events.ts";

const open: IngestStandIn[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function server(answer: (request: SeenRequest, number: number) => Answer): Promise<IngestStandIn> {
  const started = await ingestStandIn(answer);
  open.push(started);
  return started;
}

const body = { bytes: new TextEncoder().encode('{"event_id":"a"}\n{"event_id":"b"}\n'), gzip: false };

/** Waits are noted instead of waited. */
function deps(more: Partial<PostDeps> = {}): PostDeps & { waitsMs: number[] } {
  const waitsMs: number[] = [];
  const sleep = async (ms: number) => void waitsMs.push(ms);
  return { fetch, sleep, random: () => 0.5, waitsMs, ...more };
}

test("a batch arrives as NDJSON with the key, and its receipt comes back", async () => {
  const { url, requests } = await server(allAccepted);
  const outcome = await postBatch({ url, key: "k1" }, body, deps());
  expect(outcome).toEqual({
    reason: "answered",
    attempts: 1,
    sentBytes: body.bytes.length,
    receipt: { accepted: 2, duplicates: 0, late: 0, rejected: 0, queued: 0, errors: [] },
  });
  expect(requests).toMatchObject([{ path: "/v1/events", lines: ['{"event_id":"a"}', '{"event_id":"b"}'] }]);
  expect(requests[0]?.headers).toMatchObject({ authorization: "Bearer k1", "content-type": "application/x-ndjson" });
  expect(requests[0]?.headers.prefer).toBeUndefined();
});

test("fetch is called as a function by itself, as browsers and Workers demand", async () => {
  const { url } = await server(allAccepted);
  const strict = function (this: unknown, ...args: Parameters<typeof fetch>) {
    if (this !== undefined) throw new TypeError("Illegal invocation");
    return fetch(...args);
  };
  expect(await postBatch({ url, key: "k1" }, body, deps({ fetch: strict }))).toMatchObject({ reason: "answered" });
});

test("async asks for respond-async, and counts that the answer leaves out are 0", async () => {
  const { url, requests } = await server(() => ({ status: 202, body: { queued: 2, rejected: 0 } }));
  const outcome = await postBatch({ url, key: "k1", async: true }, body, deps());
  expect(outcome).toMatchObject({ reason: "answered", receipt: { queued: 2, accepted: 0, duplicates: 0, errors: [] } });
  expect(requests[0]?.headers.prefer).toBe("respond-async");
});

test("429, 503 and a connection that breaks are tried again, no sooner than Retry-After says", async () => {
  const { url } = await server((request, number) => {
    if (number === 1) return { status: 429, headers: { "retry-after": "3" } };
    if (number === 2) return "hang_up";
    // A moment that has passed asks for nothing.
    if (number === 3) return { status: 503, headers: { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" } };
    return allAccepted(request);
  });
  const noted = deps();
  const outcome = await postBatch({ url, key: "k1" }, body, noted);
  expect(outcome).toMatchObject({ reason: "answered", attempts: 4, sentBytes: 4 * body.bytes.length });
  expect(noted.waitsMs).toEqual([3000 + BACKOFF_FIRST_MS / 2, BACKOFF_FIRST_MS, BACKOFF_FIRST_MS * 2]);
});

test("a server that stays away is given up after a bounded number of tries, with its last words", async () => {
  const { url, requests } = await server(() => ({ status: 503, body: { title: "Busy", detail: "shard away" } }));
  const noted = deps();
  const outcome = await postBatch({ url, key: "k1" }, body, noted);
  expect(outcome).toMatchObject({ reason: "gave_up", why: "503 Busy: shard away", attempts: ATTEMPTS_MAX });
  expect(requests).toHaveLength(ATTEMPTS_MAX);
  expect(noted.waitsMs).toHaveLength(ATTEMPTS_MAX - 1);
});

test("a port where nobody listens is a network error with a name, not 'fetch failed'", async () => {
  // One that was free a moment ago may be another program's by now; of this number none is ever handed out.
  const outcome = await postBatch({ url: "http://127.0.0.1:2", key: "k1" }, body, deps({ attemptsMax: 2 }));
  expect(outcome).toMatchObject({ reason: "gave_up", attempts: 2, why: "connection refused" });
});

test.each([
  [401, "key_refused"],
  [400, "refused"],
  [403, "refused"],
  [413, "refused"],
  [415, "refused"],
])("%i is final: another try would end the same", async (status, reason) => {
  const { url, requests } = await server(() => ({ status, body: { title: "No", detail: "because" } }));
  expect(await postBatch({ url, key: "k1" }, body, deps())).toMatchObject({ reason, why: `${status} No: because` });
  expect(requests).toHaveLength(1);
});

test("a key that may not send is refused as one that is unknown", async () => {
  const { url } = await server(() => ({ status: 403, body: { code: "forbidden", title: "The key may not do this" } }));
  const refused = { reason: "key_refused", why: "403 The key may not do this" };
  expect(await postBatch({ url, key: "k1" }, body, deps())).toMatchObject(refused);
});

test.each([403, 422])("%i with the members of a receipt is an answer: all events were rejected", async (status) => {
  const errors = [{ index: 1, event_id: "b", code: "invalid_value", path: "amount", message: "no" }];
  const { url } = await server(() => ({ status, body: { title: "All bad", code: "x", rejected: 2, errors } }));
  const outcome = await postBatch({ url, key: "k1" }, body, deps());
  expect(outcome).toMatchObject({ reason: "answered", receipt: { rejected: 2, errors } });
});

test.each([
  [200, "<html>hello</html>", /without a receipt/],
  [200, '{"ok":true}', /without a receipt/],
  [422, "what?", /422 \(no explanation\)/],
])("an answer of %i that is no receipt (%s) is never taken for one", async (status, text, why) => {
  const { url } = await server(() => ({ status, body: text }));
  const outcome = await postBatch({ url, key: "k1" }, body, deps());
  expect(outcome).toMatchObject({ reason: "refused", status, why: expect.stringMatching(why) });
});

test("a redirect is told, not followed: the key is for the server that was named", async () => {
  const elsewhere = await server(allAccepted);
  const { url } = await server(() => ({ status: 307, headers: { location: elsewhere.url } }));
  const outcome = await postBatch({ url, key: "k1" }, body, deps());
  expect(outcome).toMatchObject({ reason: "refused", status: 307, why: expect.stringContaining(elsewhere.url) });
  expect(elsewhere.requests).toEqual([]);
});

test("stop ends a wait for the next try, abort even the request under way", async () => {
  const busy = await server(() => ({ status: 503 }));
  const stop = new AbortController();
  const stopped = await postBatch(
    { url: busy.url, key: "k1" },
    body,
    deps({ stop: stop.signal, sleep: async () => stop.abort() }),
  );
  expect(stopped).toMatchObject({ reason: "stopped", attempts: 1 });

  const silent = await server(() => "never");
  const abort = new AbortController();
  const waiting = postBatch({ url: silent.url, key: "k1" }, body, deps({ abort: abort.signal }));
  await silent.seen(1);
  abort.abort();
  expect(await waiting).toMatchObject({ reason: "stopped", attempts: 1 });
});

test("a base URL may end in a slash or in the path itself, and must be http", () => {
  expect(eventsUrl("http://127.0.0.1:8787")).toBe("http://127.0.0.1:8787/v1/events");
  expect(eventsUrl("https://tally.example/in/")).toBe("https://tally.example/in/v1/events");
  expect(eventsUrl("https://tally.example/v1/events")).toBe("https://tally.example/v1/events");
  for (const wrong of ["", "localhost:8787", "ftp://x", "/v1/events"])
    expect(() => eventsUrl(wrong)).toThrow(RangeError);
});
