import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  type Answer,
  allAccepted,
  type IngestStandIn,
  ingestStandIn,
  type SeenRequest,
} from "../clients/typescript/test/ingest-stand-in.ts";
import { sleep } from "./sleep.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tally-load-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const servers: IngestStandIn[] = [];
const children: ChildProcessByStdio<Writable, Readable, Readable>[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function server(
  answer: (request: SeenRequest, number: number) => Answer | Promise<Answer>,
): Promise<IngestStandIn> {
  const started = await ingestStandIn(answer);
  servers.push(started);
  return started;
}

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const events = (count: number) => Array.from({ length: count }, (_, n) => `{"event_id":"e${n + 1}"}\n`).join("");

function start(...args: string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "load.ts"), ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  children.push(child);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    stderr += piece;
  });
  const ended = Promise.all([text(child.stdout), once(child, "close")]).then(([stdout, [code]]) => ({
    stdout,
    stderr,
    code: code as number,
  }));
  const said = async (what: string) => {
    while (!stderr.includes(what)) await once(child.stderr, "data");
  };
  return { child, ended, said };
}

const load = (...args: string[]) => start(...args).ended;

test("a gzipped file goes out gzipped in batches, and the receipts are summed", async () => {
  const { url, requests } = await server(allAccepted);
  const path = await file("events.ndjson.gz", gzipSync(events(2500)));
  const { stdout, code } = await load(path, "--url", url, "--key", "k1", "--json");
  const bytes = requests.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    end: { reason: "complete" },
    events: 2500,
    accepted: 2500,
    retries: 0,
    batches: 3,
    bytes_sent: bytes,
    last_line: 2500,
  });
  expect(requests.map(({ lines }) => lines.length).sort()).toEqual([1000, 1000, 500]);
  expect(new Set(requests.flatMap(({ lines }) => lines)).size).toBe(2500);
  expect(requests[0]?.headers).toMatchObject({ "content-encoding": "gzip", authorization: "Bearer k1" });
});

test("standard input, --async, --no-gzip and --batch do what they say, and the sums are a table", async () => {
  const { url, requests } = await server(({ lines }) => ({ status: 202, body: { queued: lines.length, rejected: 0 } }));
  const { child, ended } = start("-", "--url", url, "--key", "k1", "--async", "--no-gzip", "--batch", "2");
  child.stdin.end(events(5));
  const { stdout, code } = await ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^events +5\naccepted +0\n.*queued +5\n.*bytes sent +\d+\n$/s);
  expect(requests).toHaveLength(3);
  expect(requests[0]?.headers["content-encoding"]).toBeUndefined();
  expect(requests[0]?.headers.prefer).toBe("respond-async");
});

test("rows of a gzipped CSV go out as events, and those that are rejected are told by the line of the file", async () => {
  const { url, requests } = await server(({ lines }) => ({
    status: 200,
    body: { accepted: lines.length - 1, rejected: 1, errors: [{ index: 1, code: "invalid_value", message: "no" }] },
  }));
  const header = "event_id,type,merchant_id,occurred_at,amount,currency,payment_method";
  const rows = ["e1", "e2"].map((id) => `${id},payment,shop,1795395845461,550,JPY,"qr\r\ncode"\r\n`);
  const path = await file("events.csv.gz", gzipSync(`${header}\r\n${rows.join("")}`));
  const { stdout, code } = await load(path, "--url", url, "--key", "k1", "--json");
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({ events: 2, accepted: 1, errors: [{ line: 4, code: "invalid_value" }] });
  expect(requests[0]?.lines.map((line) => JSON.parse(line))).toMatchObject([
    { event_id: "e1", occurred_at: 1795395845461, amount: 550, payment_method: "qr\r\ncode" },
    { event_id: "e2" },
  ]);
});

test("a file that cannot be read as events is told so before anything is sent", async () => {
  const { url, requests } = await server(allAccepted);
  const { stdout, code } = await load(await file("other.csv", "line,code\n1,2\n"), "--url", url, "--key", "k1");
  expect(code).toBe(1);
  expect(stdout).toMatch(/Nothing was sent: this is no NDJSON, and as CSV, .* has no column event_id, type/);
  expect(requests).toHaveLength(0);
});

test("rejected events are told by the line of the file, ten of them, the rest by code, all in --errors", async () => {
  const { url } = await server(async ({ lines }) => {
    // The first batch of the file is the last to be answered.
    if (lines[0]?.includes('"e1"')) await sleep(200);
    const errors = [0, 1, 2, 3, 4, 5].map((index) => ({
      index,
      code: "too_old",
      path: "occurred_at",
      message: "long ago",
    }));
    return { status: 200, body: { accepted: lines.length - 6, rejected: 6, errors } };
  });
  const path = await file("some-bad.ndjson", `\n${events(30)}`);
  const errorsPath = join(folder, "errors.ndjson");
  const { stdout, code } = await load(path, "--url", url, "--key", "k", "--batch", "10", "--errors", errorsPath);
  expect(code).toBe(3);
  expect(stdout).toMatch(/rejected +18\n/);
  expect(stdout).toContain("18 errors, 10 of them:");
  expect(stdout).toContain("  line 2: too_old at occurred_at: long ago\n");
  expect(stdout).toContain("in all:\n  18 too_old\n");
  const written = (await readFile(errorsPath, "utf8")).trim().split("\n");
  const lines = written.map((line) => (JSON.parse(line) as { line: number }).line).sort((a, b) => a - b);
  expect(lines).toEqual([2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 16, 17, 22, 23, 24, 25, 26, 27]);
});

test("a batch that finally fails is told with its lines; the others go through, and the exit code says so", async () => {
  const { url } = await server((request) =>
    request.lines[0]?.includes('"e3"') ? { status: 413, body: { title: "Too large" } } : allAccepted(request),
  );
  const path = await file("one-fails.ndjson", events(6));
  const { stdout, code } = await load(path, "--url", url, "--key", "k", "--batch", "2");
  expect(code).toBe(1);
  expect(stdout).toMatch(/^events +4\n/);
  expect(stdout).toContain("1 batch (2 events) not answered:\n  lines 3 to 4: 413 Too large\n");
});

test("a receipt that does not add up to what was sent is told", async () => {
  const { url } = await server(() => ({ status: 200, body: { accepted: 2, rejected: 0 } }));
  const path = await file("gap.ndjson", events(3));
  const { stdout, code } = await load(path, "--url", url, "--key", "k");
  expect(code).toBe(1);
  expect(stdout).toContain("The receipts' counts are off by 1 event: a fault of the server.");
});

test("a server that is busy at first is asked again, and all is well", async () => {
  const { url } = await server((request, number) => (number === 1 ? { status: 503 } : allAccepted(request)));
  const path = await file("busy.ndjson", events(3));
  const { stdout, stderr, code } = await load(path, "--url", url, "--key", "k", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ accepted: 3, retries: 1 });
  expect(stderr).toMatch(/try 1 failed, again in [\d.]+ s: 503/);
});

test("a refused key stops the load at once", async () => {
  const { url, requests } = await server(() => ({ status: 401, body: { title: "Unknown key" } }));
  const path = await file("refused.ndjson", events(1000));
  const { stdout, code } = await load(path, "--url", url, "--key", "k", "--batch", "1", "--concurrency", "2");
  expect(code).toBe(1);
  expect(stdout).toContain("The key was refused, so nothing more was sent: 401 Unknown key");
  expect(requests.length).toBeLessThanOrEqual(2);
});

test("when nothing gets through any more the load ends instead of failing batch by batch", async () => {
  const { url, requests } = await server(() => ({ status: 403, body: { title: "Not yours" } }));
  const path = await file("forbidden.ndjson", events(100));
  const { stdout, code } = await load(path, "--url", url, "--key", "k", "--batch", "1", "--concurrency", "1");
  expect(code).toBe(1);
  expect(stdout).toContain("no batch got through any more: 403 Not yours");
  expect(requests).toHaveLength(8);
});

test("Ctrl-C waits for the answer under way, begins nothing new, and prints the sums so far", async () => {
  const path = await file("interrupted.ndjson", events(100));
  const { url, requests } = await server(async (request, number) => {
    if (number === 3) {
      child.kill("SIGINT");
      await said("stopping");
    }
    return allAccepted(request);
  });
  const { child, ended, said } = start(path, "--url", url, "--key", "k", "--batch", "1", "--concurrency", "1");
  const { stdout, code } = await ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^events +3\naccepted +3\n/);
  expect(stdout).toContain("Interrupted after line 3 of");
  expect(requests).toHaveLength(3);
});

test("a second Ctrl-C cuts off the request under way, whose lines are told", async () => {
  const path = await file("cut-off.ndjson", events(100));
  const { url, seen } = await server((request, number) => (number === 3 ? "never" : allAccepted(request)));
  const { child, ended, said } = start(path, "--url", url, "--key", "k", "--batch", "1", "--concurrency", "1");
  await seen(3);
  child.kill("SIGINT");
  await said("stopping");
  child.kill("SIGINT");
  const { stdout, code } = await ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^events +2\n/);
  expect(stdout).toContain("lines 3 to 3: stopped before it was answered");
});

test("Ctrl-C ends a load that waits for its input", async () => {
  const { url, seen } = await server(allAccepted);
  const { child, ended } = start("-", "--url", url, "--key", "k", "--batch", "1", "--json");
  child.stdin.write(events(1));
  await seen(1);
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(130);
  expect(JSON.parse(stdout)).toMatchObject({ end: { reason: "interrupted" }, events: 1 });
});

test("a gzip file that ends too early says so after what could be read was sent", async () => {
  const { url } = await server(allAccepted);
  const whole = gzipSync(Array.from({ length: 5000 }, () => `{"event_id":"${crypto.randomUUID()}"}\n`).join(""));
  const path = await file("cut.ndjson.gz", whole.subarray(0, whole.length / 2));
  const { stdout, code } = await load(path, "--url", url, "--key", "k", "--batch", "100");
  expect(code).toBe(1);
  expect(stdout).toMatch(/Stopped after line [\d,]+: cannot read .*cut\.ndjson\.gz: the gzip data ends too early/);
});

test.each([
  [["--help"], 0, /npm run load -- FILE/],
  [[], 2, /which file\?/],
  [["a", "b", "--url", "http://x", "--key", "k"], 2, /one file at a time/],
  [["a", "--key", "k"], 2, /give --url/],
  [["a", "--url", "localhost:1", "--key", "k"], 2, /not a URL: localhost:1/],
  [["a", "--url", "http://x", "--key", "k y"], 2, /a key has no spaces/],
  [["a", "--url", "http://x", "--key", "k", "--batch", "10001"], 2, /--batch 10001: a whole number from 1 to 10000/],
  [["a", "--url", "http://x", "--key", "k", "--concurrency", "0"], 2, /--concurrency 0/],
  [["a", "--url", "http://x", "--key", "k", "--bach", "1"], 2, /--bach/],
  [["/no/such.ndjson", "--url", "http://x", "--key", "k"], 1, /cannot open \/no\/such.ndjson: no such file/],
  [["/", "--url", "http://x", "--key", "k"], 1, /cannot open \/: it is a directory/],
])("%j answers with one clear sentence", async (args, expectedCode, said) => {
  const { stdout, stderr, code } = await load(...args);
  expect(code).toBe(expectedCode);
  expect(stdout + stderr).toMatch(said);
});
