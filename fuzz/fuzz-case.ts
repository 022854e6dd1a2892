import { integerBetween, pick, type Random, seededRandom } from "../scripts/seeded-random.ts";
import type { DescribedOperation } from "./described.ts";
import { eventBody } from "./event-bodies.ts";
import { mutatedJson } from "./json-mutation.ts";
import { CONTENT_TYPES, METHODS, ODD_HEADERS, ODD_PATHS, ODD_SEGMENTS, ODD_TEXTS } from "./odd-values.ts";
import type { Delivery, RawRequest } from "./raw-request.ts";
import { describedValue } from "./schema-value.ts";
import { type CallerName, HIDDEN_MERCHANT, MERCHANTS, type World } from "./world.ts";

/** One request, made of the seed and its number alone, but for keys and times of the system it goes to. */
export interface FuzzCase {
  readonly index: number;
  readonly worker: "ingest" | "api";
  readonly caller: CallerName;
  readonly request: RawRequest;
}

/** Of a hundred cases, those that post events: what most of the outside world may send. */
const EVENTS_SHARE = 0.5;
const ODD_PATH_SHARE = 0.04;
const ODD_HEADERS_MAX = 3;

export function makeCase(world: World, seed: number, index: number): FuzzCase {
  const random = seededRandom(seed, index);
  const { operations } = world.described;
  const posting = operations.find(({ path }) => path === "/v1/events");
  const operation = posting !== undefined && random() < EVENTS_SHARE ? posting : pick(random, operations);
  const caller = callerFor(operation, random);
  const isOddPath = random() < ODD_PATH_SHARE;
  const method = random() < 0.04 ? pick(random, METHODS) : operation.method;
  const body = operation.path === "/v1/events" ? eventBody(world, index, random) : bodyOf(world, operation, random);
  const headers = [...authorization(world, caller, random), ...body.headers, ...oddHeaders(random)];
  return {
    index,
    worker: operation.worker,
    caller,
    request: {
      method,
      target: isOddPath
        ? pick(random, ODD_PATHS)
        : `${pathOf(operation, caller, random)}${queryOf(operation, world, random)}`,
      headers,
      body: body.bytes,
      delivery: deliveryOf(body.bytes, random),
    },
  };
}

/** Mostly whoever may. */
function callerFor({ worker, path }: DescribedOperation, random: Random): CallerName {
  const everybody: readonly CallerName[] = [
    ...(["source", "limited source", "merchant", "hidden merchant", "operator"] as const),
    ...(["revoked operator", "unknown operator", "nobody"] as const),
  ];
  if (random() < 0.08) return pick(random, everybody);
  if (worker === "ingest") return random() < 0.9 ? "source" : "limited source";
  if (path.startsWith("/v1/admin")) return "operator";
  return pick(random, ["merchant", "merchant", "merchant", "operator", "hidden merchant"]);
}

/** Now and then written otherwise, or twice. */
function authorization(world: World, caller: CallerName, random: Random): [string, string][] {
  const token = world.tokens[caller];
  if (token === undefined) return [];
  const right: [string, string] = ["Authorization", `Bearer ${token}`];
  if (random() > 0.05) return [right];
  return pick<[string, string][]>(random, [
    [right, right],
    [["authorization", `bearer  ${token}`]],
    [["Authorization", token]],
    [["Authorization", `Basic ${btoa(`x:${token}`)}`]],
    [["Authorization", `Bearer ${token.slice(0, -1)}`]],
    [["Authorization", `Bearer ${token}x`]],
    [["Authorization", `Bearer ${token.toUpperCase()}`]],
    [["Authorization", "Bearer"]],
    [["Authorization", ""]],
    [["Authorization", `Bearer ${"x".repeat(8_000)}`]],
    [["Authorization", "Bearer \xff\xfe"]],
    [right, ["Authorization", "Bearer nobody"]],
  ]);
}

function oddHeaders(random: Random): (readonly [string, string])[] {
  if (random() < 0.6) return [];
  return Array.from({ length: integerBetween(random, 1, ODD_HEADERS_MAX) }, () => pick(random, ODD_HEADERS));
}

function pathOf({ path }: DescribedOperation, caller: CallerName, random: Random): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (random() < 0.08) return pick(random, ODD_SEGMENTS);
    // What operators are let change is not what the other cases need.
    const isAdministered = path.startsWith("/v1/admin");
    switch (name) {
      case "merchant":
        if (isAdministered) return `admin-${integerBetween(random, 1, 50)}`;
        if (caller === "hidden merchant" || random() < 0.1) return HIDDEN_MERCHANT;
        return caller === "merchant" && random() < 0.95 ? MERCHANTS[0] : pick(random, MERCHANTS);
      case "key":
        return integerBetween(random, 0, 2 ** 48 - 1)
          .toString(16)
          .padStart(16, "0");
      default:
        return `${name}-${integerBetween(random, 1, 50)}`;
    }
  });
}

function queryOf({ query }: DescribedOperation, world: World, random: Random): string {
  const given: [string, string][] = [];
  for (const { name, schema } of query) {
    if (random() < 0.6) continue;
    const value = String(describedValue(schema, world.described.schemas, random));
    given.push([name, random() < 0.25 ? oddText(random) : value]);
    if (random() < 0.02) given.push([name, value]);
  }
  if (random() < 0.05) given.push([pick(random, ["__proto__", "constructor", "a[]", "", "FROM", "漢"]), "1"]);
  if (given.length === 0) return "";
  const written = given.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  // Percent signs that mean nothing, pluses, empty parts.
  return `?${random() < 0.04 ? written.replace(/%../, pick(random, ["%", "%zz", "+", "&&", "=", "%00", "%c0"])) : written}`;
}

/** Half a pair of surrogates cannot be percent-encoded. */
function oddText(random: Random): string {
  return pick(random, ODD_TEXTS).toWellFormed();
}

interface CaseBody {
  readonly headers: [string, string][];
  readonly bytes: Uint8Array | undefined;
}

function bodyOf(world: World, operation: DescribedOperation, random: Random): CaseBody {
  const [body] = operation.bodies;
  if (body === undefined)
    return random() < 0.95 ? { headers: [], bytes: undefined } : { headers: [], bytes: Buffer.from("{}") };
  const value = sparing(operation, describedValue(body.schema, world.described.schemas, random));
  const text = mutatedJson(value, pick(random, [0, 1, 1, 1, 2, 3]), random);
  const bytes = random() < 0.03 ? Buffer.alloc(pick(random, [0, 1, 1_048_577, 3_000_000]), "x") : Buffer.from(text);
  const type = random() < 0.9 ? body.type : pick(random, CONTENT_TYPES);
  return { headers: [["Content-Type", type]], bytes };
}

/** What would go on after the case, at the cost of all the others: spans to replay are short and never final, epochs never begin. */
function sparing({ path }: DescribedOperation, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (path.endsWith("/replays")) return { ...value, from: "2026-11-01T09:00:00Z", to: "2026-11-01T10:00:00Z" };
  if (path.endsWith("/topology")) return { ...value, from: "2020-01-01T00:00:00Z" };
  return value;
}

function deliveryOf(bytes: Uint8Array | undefined, random: Random): Delivery {
  if (bytes === undefined || random() < 0.9) return "whole";
  return pick(random, ["chunked", "chunked", "chunked", "malformed", "dribbled", "cut off"]);
}
