import type { D1Database, D1PreparedStatement, D1Result, Queue, R2Bucket } from "@cloudflare/workers-types";
import { type Counters, count } from "./counters.ts";

/** One queue operation a message is counted for every 64 KB of 1,000 bytes, its 100 bytes of metadata included (Queues, "Pricing"). */
const OPERATION_BYTES = 64_000;
const METADATA_BYTES = 100;

export type CountedQueue = "raw" | "windows";

export function queueOperations(body: unknown): number {
  return Math.ceil((bytesOf(body) + METADATA_BYTES) / OPERATION_BYTES);
}

function bytesOf(body: unknown): number {
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) return body.byteLength;
  throw new Error("a message is bytes here; count it some other way if it is no longer");
}

const countedEnvs = new WeakMap<object, object>();

/** The bindings of a Worker, each with its use counted. Durable Objects are counted where the calls arrive. */
export function countedEnv(env: object): object {
  const known = countedEnvs.get(env);
  if (known !== undefined) return known;
  const counted = Object.fromEntries(
    Object.entries(env).map(([name, binding]) => [name, countedBinding(name, binding)]),
  );
  countedEnvs.set(env, counted);
  return counted;
}

function countedBinding(name: string, binding: unknown): unknown {
  switch (name) {
    case "RAW":
      return countedQueue("raw", binding as Queue);
    case "WINDOWS":
      return countedQueue("windows", binding as Queue);
    case "ARCHIVE":
      return countedBucket(binding as R2Bucket);
    case "DIRECTORY":
      return countedDatabase(binding as D1Database);
    default:
      return binding;
  }
}

function countedQueue(name: CountedQueue, queue: Queue): object {
  const written = (body: unknown) => {
    count(`${name}_writes`, queueOperations(body));
    count(`${name}_messages`);
    count(`${name}_bytes`, bytesOf(body));
  };
  return {
    send: (...[body, options]: Parameters<Queue["send"]>) => {
      written(body);
      return queue.send(body, options);
    },
    sendBatch: (...[messages, options]: Parameters<Queue["sendBatch"]>) => {
      const all = [...messages];
      for (const { body } of all) written(body);
      return queue.sendBatch(all, options);
    },
  };
}

/** Classes of operations: R2, "Pricing". Deleting is free. */
const BUCKET_OPERATIONS: Readonly<Record<string, keyof Counters>> = {
  put: "archive_class_a",
  list: "archive_class_a",
  createMultipartUpload: "archive_class_a",
  get: "archive_class_b",
  head: "archive_class_b",
};

function countedBucket(bucket: R2Bucket): object {
  return proxied(bucket, (name, parameters) => {
    const operation = BUCKET_OPERATIONS[name];
    if (operation !== undefined) count(operation);
    if (name === "put" && parameters[1] instanceof Uint8Array) count("archive_bytes", parameters[1].byteLength);
  });
}

function countedDatabase(database: D1Database): object {
  return {
    prepare: (query: string) => countedStatement(database.prepare(query)),
    batch: async (statements: readonly D1PreparedStatement[]) => {
      const results = await database.batch(statements.map((statement) => realStatements.get(statement) ?? statement));
      for (const result of results) countResult(result);
      return results;
    },
    exec: (query: string) => database.exec(query),
  };
}

const realStatements = new WeakMap<object, D1PreparedStatement>();

function countedStatement(statement: D1PreparedStatement): object {
  const counted = {
    bind: (...values: readonly unknown[]) => countedStatement(statement.bind(...values)),
    all: async () => countResult(await statement.all()),
    run: async () => countResult(await statement.run()),
    /** Answers no count of what was read; at least the rows that came back were. */
    raw: async (options?: { columnNames?: false }) => {
      const rows = await statement.raw(options);
      count("directory_queries");
      count("directory_rows_read", rows.length);
      return rows;
    },
    first: async () => {
      const { results } = countResult(await statement.all());
      return results[0] ?? null;
    },
  };
  realStatements.set(counted, statement);
  return counted;
}

function countResult<T>(result: D1Result<T>): D1Result<T> {
  count("directory_queries");
  count("directory_rows_read", result.meta.rows_read);
  count("directory_rows_written", result.meta.rows_written);
  return result;
}

/** An object whose methods are announced before they are called. */
function proxied(target: object, onCall: (name: string, parameters: readonly unknown[]) => void): object {
  return new Proxy(target, {
    get: (real, name) => {
      const value: unknown = Reflect.get(real, name, real);
      if (typeof value !== "function" || typeof name !== "string") return value;
      return (...parameters: readonly unknown[]): unknown => {
        onCall(name, parameters);
        return value.apply(real, parameters);
      };
    },
  });
}
