import { z } from "zod";
import { PATH_ID_PATTERN, PATH_ID_RULE } from "../../shared/path-id.ts";
import { KEY_ROLES, type KeyRole } from "../directory/key.ts";
import { nextCursorSchema } from "./page.ts";

/** After a rotation the old key goes on for so long, unless the request says otherwise. */
export const OVERLAP_S_DEFAULT = 86_400;
export const OVERLAP_S_MAX = 30 * 86_400;

/** Of a merchant's key whose maker names none: whoever wants more says so. */
export const KEY_ROLE_DEFAULT: KeyRole = "read";

const instant = z.iso.datetime({ offset: true });

const role = z.enum(KEY_ROLES).meta({
  description: "Of a merchant's key. `read`: the merchant's numbers. `manage`: those, and the merchant's keys.",
});

const newKeyShape = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "What you call it.", examples: ["dashboard"] }),
  expires_at: instant
    .transform((text) => Date.parse(text))
    .optional()
    .meta({ description: "RFC 3339, in the future; without it the key holds until it is revoked." }),
};

export const newKeySchema = z.strictObject({ ...newKeyShape, role: role.default(KEY_ROLE_DEFAULT) });

export const newKeyOfAnyKindSchema = z
  .strictObject({
    ...newKeyShape,
    role: role.optional().meta({ description: "Of a merchant's key alone: `read` if it is left out, or `manage`." }),
    kind: z.enum(["source", "merchant", "operator"]),
    subject: z
      .string()
      .regex(PATH_ID_PATTERN, PATH_ID_RULE)
      .meta({ description: "The source's id, the merchant's, or the operator's name.", examples: ["cafe-hoshino"] }),
  })
  .refine(({ kind, role }) => role === undefined || kind === "merchant", {
    path: ["role"],
    message: "only a merchant's key has a role",
  });

export const rotationSchema = z.strictObject({
  overlap_s: z
    .int()
    .min(0)
    .max(OVERLAP_S_MAX)
    .default(OVERLAP_S_DEFAULT)
    .meta({ description: "Seconds for which the old key goes on. 0 ends it at once." }),
});

export const keySchema = z
  .object({
    id: z.string(),
    kind: z.enum(["source", "merchant", "operator"]),
    subject: z.string(),
    role: z.enum(KEY_ROLES).nullable().meta({ description: "What a merchant's key may; null for the other kinds." }),
    prefix: z.string().meta({ description: "The key without its secret." }),
    name: z.string().nullable(),
    state: z.enum(["live", "expired", "revoked"]),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
    last_used_at: z.string().nullable().meta({ description: "To within five minutes." }),
    replaced_by: z.string().nullable().meta({ description: "The id of the key it was rotated into." }),
  })
  .meta({
    id: "Key",
    examples: [
      {
        id: "0f3a9c2b7d1e4856",
        kind: "merchant",
        subject: "cafe-hoshino",
        role: "read",
        prefix: "tally_mch_0f3a9c2b7d1e4856",
        name: "dashboard",
        state: "live",
        created_at: "2026-11-23T01:02:03.000Z",
        expires_at: null,
        revoked_at: null,
        last_used_at: "2026-11-24T09:10:00.000Z",
        replaced_by: null,
      },
    ],
  });

/** `secret_key` is the whole key, and nowhere else. */
export const createdKeySchema = keySchema.extend({
  secret_key: z.string().meta({ description: "The whole key. It is shown this once." }),
});

export const rotatedKeySchema = z.object({ key: createdKeySchema, old_key: keySchema });

export const keysSchema = z.object({ keys: z.array(keySchema), next_cursor: nextCursorSchema });
