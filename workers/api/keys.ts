import type { Context } from "hono";
import { Hono } from "hono";
import { z } from "zod";
import { err, ok, type Result, unreachable } from "../../shared/result.ts";
import type { Guarded } from "../access/guarded.ts";
import type { KeyRole } from "../directory/key.ts";
import {
  createKey,
  type KeyFault,
  type KeyOwner,
  type KeyPosition,
  LIVE_KEYS_MAX,
  LIVE_KEYS_ROTATED_MAX,
  listKeys,
  type NewKey,
  readKey,
  revokeKey,
  rotateKey,
  type StoredKey,
} from "../directory/keys.ts";
import { readSource } from "../directory/sources.ts";
import { type Problem, problemResponse } from "../http/problem.ts";
import type { Query } from "../http/query-string.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import { readJson } from "./json-body.ts";
import {
  type createdKeySchema,
  KEY_ROLE_DEFAULT,
  type keySchema,
  type keysSchema,
  newKeyOfAnyKindSchema,
  newKeySchema,
  type rotatedKeySchema,
  rotationSchema,
} from "./key-schemas.ts";
import { readPage } from "./page.ts";
import { presentKey } from "./present-key.ts";

type KeysContext = Context<Guarded<Env>>;

/** Below `/v1/merchants/:merchant/keys`: a merchant's own. */
export const merchantKeys = new Hono<Guarded<Env>>()
  .get("/", (c) => list(c, [], () => ok(merchantOf(c))))
  .post("/", async (c) => {
    const wish = await readJson(c, newKeySchema);
    return wish.ok ? await create(c, merchantOf(c), wish.value, wish.value.role) : problemResponse(wish.error);
  })
  .post("/:key/rotate", (c) => rotate(c, c.req.param("key"), merchantOf(c)))
  .delete("/:key", (c) => revoke(c, c.req.param("key"), merchantOf(c)));

/** Below `/v1/admin/keys`: everybody's. */
export const adminKeys = new Hono<Guarded<Env>>()
  .get("/", (c) => list(c, ["kind", "subject"], ownerOf))
  .post("/", async (c) => {
    const wish = await readJson(c, newKeyOfAnyKindSchema);
    if (!wish.ok) return problemResponse(wish.error);
    const { kind, subject, role = KEY_ROLE_DEFAULT } = wish.value;
    if (kind === "source" && (await readSource(c.env.DIRECTORY, subject)) === undefined) {
      return problemResponse(noSuchSource(subject));
    }
    return await create(c, { kind, subject }, wish.value, kind === "merchant" ? role : null);
  })
  .get("/:key", async (c) => {
    const key = await readKey(c.env.DIRECTORY, c.req.param("key"));
    const found = key === undefined ? undefined : (presentKey(key, Date.now()) satisfies z.output<typeof keySchema>);
    return found === undefined ? problemResponse(explain({ reason: "no_such_key" })) : fresh(found);
  })
  .post("/:key/rotate", (c) => rotate(c, c.req.param("key"), undefined))
  .delete("/:key", (c) => revoke(c, c.req.param("key"), undefined));

const merchantOf = (c: KeysContext): KeyOwner => ({ kind: "merchant", subject: c.var.merchant });

type Owners = { readonly kind: KeyOwner["kind"]; readonly subject: string | undefined };

const kindSchema = z.enum(["source", "merchant", "operator"]);

function ownerOf(query: Query): Result<Owners, Problem> {
  const kind = kindSchema.safeParse(query.kind);
  if (kind.success) return ok({ kind: kind.data, subject: query.subject });
  return err({
    status: 400,
    code: "invalid_kind",
    title: "A parameter is wrong",
    detail: `kind is one of ${kindSchema.options.join(", ")}.`,
    extensions: { parameter: "kind" },
  });
}

const positionSchema = z.strictObject({ createdAt: z.int(), id: z.string() });

async function list(
  c: KeysContext,
  filters: readonly string[],
  whose: (query: Query) => Result<Owners, Problem>,
): Promise<Response> {
  const page = await readPage(c.req.queries(), {
    filters,
    position: positionSchema,
    positionOf: ({ createdAt, id }: StoredKey): KeyPosition => ({ createdAt, id }),
    read: async ({ after, limit }, query) => {
      const owners = whose(query);
      return owners.ok ? ok(await listKeys(c.env.DIRECTORY, owners.value, after, limit)) : owners;
    },
  });
  if (!page.ok) return problemResponse(page.error);
  const { items, next_cursor } = page.value;
  const nowMs = Date.now();
  return fresh({
    keys: items.map((key) => presentKey(key, nowMs)),
    next_cursor,
  } satisfies z.output<typeof keysSchema>);
}

async function create(
  c: KeysContext,
  owner: KeyOwner,
  wish: Pick<z.output<typeof newKeySchema>, "name" | "expires_at">,
  role: KeyRole | null,
): Promise<Response> {
  const nowMs = Date.now();
  const { name = null, expires_at: expiresAt = null } = wish;
  if (expiresAt !== null && expiresAt <= nowMs) return problemResponse(alreadyExpired);
  const created = await createKey(c.env.DIRECTORY, owner, { name, expiresAt, role }, nowMs);
  return created.ok ? fresh(presentNew(created.value, nowMs), 201) : problemResponse(explain(created.error));
}

async function rotate(c: KeysContext, id: string, owner: KeyOwner | undefined): Promise<Response> {
  const wish = await readJson(c, rotationSchema);
  if (!wish.ok) return problemResponse(wish.error);
  const nowMs = Date.now();
  const rotated = await rotateKey(c.env.DIRECTORY, id, wish.value.overlap_s * 1000, nowMs, owner);
  if (!rotated.ok) return problemResponse(explain(rotated.error));
  const answer = { key: presentNew(rotated.value, nowMs), old_key: presentKey(rotated.value.old, nowMs) };
  return fresh(answer satisfies z.output<typeof rotatedKeySchema>, 201);
}

async function revoke(c: KeysContext, id: string, owner: KeyOwner | undefined): Promise<Response> {
  const nowMs = Date.now();
  const revoked = await revokeKey(c.env.DIRECTORY, id, nowMs, owner);
  return revoked === undefined
    ? problemResponse(explain({ reason: "no_such_key" }))
    : fresh(presentKey(revoked, nowMs) satisfies z.output<typeof keySchema>);
}

function presentNew({ key, token }: NewKey, nowMs: number): z.output<typeof createdKeySchema> {
  return { ...presentKey(key, nowMs), secret_key: token };
}

function explain(fault: KeyFault): Problem {
  switch (fault.reason) {
    case "no_such_key":
      return { status: 404, code: fault.reason, title: "There is no such key", detail: "Look for its id in the list." };
    case "key_ended":
      return refusal(fault.reason, "It has expired or was revoked: create another.");
    case "already_rotated":
      return refusal(fault.reason, `It was rotated into ${fault.replacedBy}: rotate that one.`);
    case "too_many_keys":
      return refusal(
        fault.reason,
        `There are ${LIVE_KEYS_MAX} that hold, or ${LIVE_KEYS_ROTATED_MAX} with those that were rotated: revoke one first.`,
      );
    default:
      return unreachable(fault);
  }
}

function refusal(code: string, detail: string): Problem {
  return { status: 409, code, title: "There is no new key", detail };
}

const alreadyExpired: Problem = {
  status: 422,
  code: "already_expired",
  title: "There is no new key",
  detail: "expires_at must lie in the future.",
  extensions: { parameter: "expires_at" },
};

function noSuchSource(id: string): Problem {
  return {
    status: 422,
    code: "no_such_source",
    title: "There is no new key",
    detail: `There is no source ${id}: create it with POST /v1/admin/sources.`,
    extensions: { parameter: "subject" },
  };
}
