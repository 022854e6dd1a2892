import type { z } from "zod";
import { keyPrefix } from "../directory/key.ts";
import { type StoredKey, stateOf } from "../directory/keys.ts";
import type { keySchema } from "./key-schemas.ts";

export function presentKey(key: StoredKey, nowMs: number): z.output<typeof keySchema> {
  const { id, kind, subject, role, name, createdAt, expiresAt, revokedAt, lastUsedAt, replacedBy } = key;
  return {
    id,
    kind,
    subject,
    role: kind === "merchant" ? (role ?? "read") : null,
    prefix: keyPrefix(kind, id),
    name,
    state: stateOf(key, nowMs),
    created_at: new Date(createdAt).toISOString(),
    expires_at: instantOrNull(expiresAt),
    revoked_at: instantOrNull(revokedAt),
    last_used_at: instantOrNull(lastUsedAt),
    replaced_by: replacedBy,
  };
}

function instantOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
