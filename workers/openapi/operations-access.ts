import { z } from "zod";
import {
  createdKeySchema,
  keySchema,
  keysSchema,
  newKeyOfAnyKindSchema,
  newKeySchema,
  rotatedKeySchema,
  rotationSchema,
} from "../api/key-schemas.ts";
import { merchantPath, parameterShapes } from "../api/parameters-schema.ts";
import { sessionSchema, signInSchema } from "../api/session.ts";
import type { OperationTable } from "./operation.ts";
import { BODY_PROBLEMS, type ProblemCode } from "./problems.ts";

const keyPath = z.object({ key: z.string().meta({ description: "The key's id", examples: ["0f3a9c2b7d1e4856"] }) });
const ofMerchant = merchantPath.extend(keyPath.shape);
const { limit, cursor } = parameterShapes;
const page = z.object({ limit, cursor }).partial();
const json = (schema: z.ZodType) => ({ "application/json": { schema } });
const body = (schema: z.ZodType, isRequired = false) => ({ isRequired, content: json(schema) });
const created = {
  201: { description: "The key, with its secret: it is shown this once.", content: json(createdKeySchema) },
};
const rotated = { 201: { description: "The new key, and the old one.", content: json(rotatedKeySchema) } };
const listed = { 200: { description: "The newest first.", content: json(keysSchema) } };
const revoked = {
  200: { description: "It is revoked; an isolate may take it for a minute yet.", content: json(keySchema) },
};

const CHANGE: readonly ProblemCode[] = ["csrf", "malformed_json", ...BODY_PROBLEMS, "invalid_body"];
const PAGE: readonly ProblemCode[] = ["unknown_parameter", "repeated_parameter", "invalid_limit", "invalid_cursor"];
const CREATE: readonly ProblemCode[] = [...CHANGE, "already_expired", "too_many_keys"];
const ROTATE: readonly ProblemCode[] = [...CHANGE, "no_such_key", "key_ended", "already_rotated", "too_many_keys"];

export const ACCESS_OPERATIONS: OperationTable = {
  "POST /v1/session": {
    tag: "Access",
    id: "signIn",
    summary: "Exchange a key for a session of the dashboard",
    body: body(signInSchema, true),
    answers: {
      201: {
        description: "Who you are, and what your page proves itself by.",
        content: json(sessionSchema),
        headers: ["Set-Cookie"],
      },
    },
    problems: ["unauthorized", "forbidden", "rate_limited", "directory_unavailable", "no_sessions", ...CHANGE],
  },
  "GET /v1/session": {
    tag: "Access",
    id: "getSession",
    summary: "Who I am",
    answers: { 200: { description: "Of the key, or of the session.", content: json(sessionSchema) } },
    problems: [],
  },
  "DELETE /v1/session": {
    tag: "Access",
    id: "signOut",
    summary: "End the session",
    answers: { 204: { description: "The cookie is gone.", headers: ["Set-Cookie"] } },
    problems: ["csrf"],
  },
  "GET /v1/merchants/:merchant/keys": {
    tag: "Access",
    id: "listMerchantKeys",
    summary: "The merchant's keys",
    path: merchantPath,
    query: page,
    answers: listed,
    problems: ["not_found", ...PAGE],
  },
  "POST /v1/merchants/:merchant/keys": {
    tag: "Access",
    id: "createMerchantKey",
    summary: "Create a key of the merchant",
    path: merchantPath,
    body: body(newKeySchema),
    answers: created,
    problems: ["not_found", ...CREATE],
  },
  "POST /v1/merchants/:merchant/keys/:key/rotate": {
    tag: "Access",
    id: "rotateMerchantKey",
    summary: "Replace a key; the old one goes on for a while",
    path: ofMerchant,
    body: body(rotationSchema),
    answers: rotated,
    problems: ["not_found", ...ROTATE],
  },
  "DELETE /v1/merchants/:merchant/keys/:key": {
    tag: "Access",
    id: "revokeMerchantKey",
    summary: "Revoke a key",
    path: ofMerchant,
    answers: revoked,
    problems: ["not_found", "csrf", "no_such_key"],
  },
  "GET /v1/admin/keys": {
    tag: "Access",
    id: "listKeys",
    summary: "Keys of a kind",
    query: z.object({
      kind: z.enum(["source", "merchant", "operator"]),
      subject: z.string().optional(),
      ...page.shape,
    }),
    answers: listed,
    problems: ["invalid_kind", ...PAGE],
  },
  "POST /v1/admin/keys": {
    tag: "Access",
    id: "createKey",
    summary: "Create a key of any kind",
    body: body(newKeyOfAnyKindSchema, true),
    answers: created,
    problems: [...CREATE, "no_such_source"],
  },
  "GET /v1/admin/keys/:key": {
    tag: "Access",
    id: "getKey",
    summary: "One key, without its secret",
    path: keyPath,
    answers: { 200: { description: "As it stands.", content: json(keySchema) } },
    problems: ["no_such_key"],
  },
  "POST /v1/admin/keys/:key/rotate": {
    tag: "Access",
    id: "rotateKey",
    summary: "Replace a key; the old one goes on for a while",
    path: keyPath,
    body: body(rotationSchema),
    answers: rotated,
    problems: ROTATE,
  },
  "DELETE /v1/admin/keys/:key": {
    tag: "Access",
    id: "revokeKey",
    summary: "Revoke a key",
    path: keyPath,
    answers: revoked,
    problems: ["csrf", "no_such_key"],
  },
};
