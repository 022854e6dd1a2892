import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** As much of Cloudflare's API as wrangler and a deployment of Tally ask, over real SQLite in place of D1. */
export interface FakeCloudflare {
  readonly url: string;
  readonly accountId: string;
  readonly token: string;
  readonly queues: Set<string>;
  readonly buckets: Set<string>;
  readonly databases: Map<string, { readonly name: string; readonly sqlite: DatabaseSync }>;
  /** By script: the secrets it was given, and how often it was uploaded. */
  readonly scripts: Map<string, { uploads: number; readonly secrets: Map<string, string>; metadata: Metadata }>;
  /** Calls that change something, in order. */
  readonly changes: string[];
  /** What was asked that nobody here knows. */
  readonly unknown: string[];
  stop(): Promise<void>;
}

interface Metadata {
  readonly bindings: readonly {
    readonly type: string;
    readonly name: string;
    readonly text?: string;
    readonly id?: string;
  }[];
}

export async function startFakeCloudflare(): Promise<FakeCloudflare> {
  const fake = {
    accountId: ACCOUNT,
    token: "a-token",
    queues: new Set<string>(),
    buckets: new Set<string>(),
    databases: new Map<string, { name: string; sqlite: DatabaseSync }>(),
    scripts: new Map<string, { uploads: number; secrets: Map<string, string>; metadata: Metadata }>(),
    changes: [] as string[],
    unknown: [] as string[],
  };
  const server = createServer((request, response) => void answer(fake, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    ...fake,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

type State = Omit<FakeCloudflare, "url" | "stop">;

async function answer(fake: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
  const isKnown = request.headers.authorization === `Bearer ${fake.token}`;
  const found = isKnown
    ? await resultOf(fake, request, pathname.replace(`/accounts/${ACCOUNT}`, ""), searchParams, Buffer.concat(chunks))
    : { status: 403, code: 10000, message: "Authentication error" };
  const isError = typeof found === "object" && found !== null && "status" in found && "code" in found;
  const { status, code, message } = isError
    ? (found as { status: number; code: number; message: string })
    : { status: 200, code: 0, message: "" };
  response.writeHead(status, { "Content-Type": "application/json" });
  const result = isError ? null : found;
  const result_info = Array.isArray(result)
    ? { page: 1, per_page: 100, count: result.length, total_count: result.length, total_pages: 1 }
    : undefined;
  response.end(
    JSON.stringify({
      success: !isError,
      errors: isError ? [{ code, message }] : [],
      messages: [],
      result,
      result_info,
    }),
  );
}

const notFound = { status: 404, code: 10007, message: "not found" };

async function resultOf(
  fake: State,
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
  body: Buffer,
): Promise<unknown> {
  const call = `${request.method} ${path}`;
  // Lists have one page; whoever reads them asks until one is empty.
  if (request.method === "GET" && Number(query.get("page") ?? 1) > 1) return [];
  const json = () => JSON.parse(body.toString() || "{}");
  const secretsOf = /^\/workers\/scripts\/([^/]+)\/secrets$/.exec(path)?.[1];
  const script = /^\/workers\/scripts\/([^/]+)$/.exec(path)?.[1];
  const databaseId = /^\/d1\/database\/([^/]+)\/query$/.exec(path)?.[1];
  if (call === "GET /accounts") return [{ id: ACCOUNT, name: "Test" }];
  if (call === "GET /workers/subdomain") return { subdomain: "test" };
  if (call === "GET /queues") {
    const queues = [...fake.queues].map((queue_name) => ({
      queue_name,
      queue_id: `id-${queue_name}`,
      consumers: [],
      producers: [],
    }));
    return queues.filter(({ queue_name }) => !query.has("name") || query.getAll("name").includes(queue_name));
  }
  if (call === "POST /queues")
    return change(fake, `queue ${json().queue_name}`, () => fake.queues.add(json().queue_name));
  if (call === "GET /r2/buckets") return { buckets: [...fake.buckets].map((name) => ({ name })) };
  if (call === "POST /r2/buckets") return change(fake, `bucket ${json().name}`, () => fake.buckets.add(json().name));
  const bucket = /^GET \/r2\/buckets\/([^/]+)$/.exec(call)?.[1];
  if (bucket !== undefined) return fake.buckets.has(bucket) ? { name: bucket } : notFound;
  if (/^GET \/workers\/(?:services\/[^/]+|scripts\/[^/]+\/(?:deployments|settings|schedules))$/.test(call))
    return notFound;
  const worker = /^(?:GET|PATCH|PUT) \/workers\/workers\/([^/]+)$/.exec(call)?.[1];
  if (worker !== undefined)
    return { id: worker, name: worker, tags: [], subdomain: { enabled: true, previews_enabled: false } };
  // A token, and nothing left to upload.
  if (/^POST \/workers\/scripts\/[^/]+\/assets-upload-session$/.test(call)) return { jwt: "token", buckets: [] };
  if (call === "GET /d1/database") return [...fake.databases].map(([uuid, { name }]) => ({ uuid, name }));
  if (call === "POST /d1/database") {
    const uuid = crypto.randomUUID();
    const { name } = json();
    change(fake, `database ${name}`, () => fake.databases.set(uuid, { name, sqlite: new DatabaseSync(":memory:") }));
    return { uuid, name };
  }
  if (databaseId !== undefined) return run(fake, databaseId, json());
  if (secretsOf !== undefined && request.method === "GET") {
    const secrets = fake.scripts.get(secretsOf)?.secrets;
    return secrets === undefined ? notFound : [...secrets.keys()].map((name) => ({ name, type: "secret_text" }));
  }
  if (script !== undefined && request.method === "PUT") return await upload(fake, script, request, body);
  if (
    /^PATCH \/workers\/scripts\/[^/]+\/script-settings$|^PUT \/workers\/scripts\/[^/]+\/(?:schedules|subdomain)|^POST \/workers\/scripts\/[^/]+\/subdomain|^POST \/queues\/[^/]+\/consumers/.test(
      call,
    )
  )
    return {};
  fake.unknown.push(call);
  return notFound;
}

function change(fake: State, what: string, make: () => unknown): object {
  fake.changes.push(what);
  make();
  return {};
}

function run(fake: State, id: string, { sql, params = [] }: { sql: string; params?: SQLInputValue[] }): unknown {
  const sqlite = fake.databases.get(id)?.sqlite;
  if (sqlite === undefined) return notFound;
  if (params.length > 0 || /^\s*SELECT/i.test(sql)) {
    return [{ results: sqlite.prepare(sql).all(...params), success: true, meta: {} }];
  }
  sqlite.exec(sql);
  return [{ results: [], success: true, meta: {} }];
}

async function upload(fake: State, name: string, request: IncomingMessage, body: Buffer): Promise<unknown> {
  const headers = { "Content-Type": request.headers["content-type"] ?? "" };
  const form = await new Response(new Uint8Array(body), { headers }).formData();
  const metadata = JSON.parse(String(form.get("metadata"))) as Metadata;
  const before = fake.scripts.get(name);
  const given = metadata.bindings.flatMap(({ type, name, text }) =>
    type === "secret_text" ? [[name, text ?? ""] as const] : [],
  );
  fake.changes.push(`upload ${name}`);
  fake.scripts.set(name, {
    uploads: (before?.uploads ?? 0) + 1,
    secrets: new Map([...(before?.secrets ?? []), ...given]),
    metadata,
  });
  return { id: name, etag: "e", pipeline_hash: "p", mutable_pipeline_id: "m", deployment_id: "d", startup_time_ms: 1 };
}
