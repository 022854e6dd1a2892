import { z } from "zod";
import { CSRF_HEADER } from "../access/csrf-header.ts";
import { KEY_ROLES } from "../directory/key.ts";
import { merchantSchema } from "./merchant-schema.ts";

/** The body of `POST /v1/session`. Another identity provider adds a member of its own. */
export const signInSchema = z
  .strictObject({
    key: z.string().min(1).max(200).optional().meta({ description: "A merchant's or an operator's key." }),
  })
  .meta({ examples: [{ key: "tally_mch_…" }] });

export const sessionSchema = z
  .object({
    kind: z.enum(["merchant", "operator"]),
    subject: z.string().meta({ description: "The merchant's id, or the operator's name." }),
    role: z.enum(KEY_ROLES).nullable().meta({
      description:
        "What a merchant's key may, and so its sessions: `read`, or `manage` its keys as well; null for an operator.",
    }),
    key_id: z.string(),
    merchant: merchantSchema.nullable().meta({
      description:
        "Whose numbers it reads, as `GET /v1/merchants/{id}` answers; null for an operator, and where that has no answer.",
    }),
    session: z
      .object({
        expires_at: z.string(),
        csrf_token: z.string().meta({ description: `Goes in ${CSRF_HEADER} with whatever changes something.` }),
      })
      .nullable()
      .meta({ description: "null for a caller with a key." }),
  })
  .meta({
    id: "Session",
    examples: [
      {
        kind: "merchant",
        subject: "cafe-hoshino",
        role: "manage",
        key_id: "0f3a9c2b7d1e4856",
        merchant: {
          id: "cafe-hoshino",
          name: "Café Hoshino",
          timezone: "Asia/Tokyo",
          currency: "JPY",
          created_at: "2026-11-23T01:02:03.000Z",
        },
        session: { expires_at: "2026-11-23T21:00:00.000Z", csrf_token: "pX0…" },
      },
    ],
  });
