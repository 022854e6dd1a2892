import { toBase64url, toHex } from "../bytes.ts";

/**
 * Keys look like `tally_src_<id>_<secret>`: a prefix that secret scanners can find, an id to look up and to show, and 256
 * random bits. Only the SHA-256 of the secret is stored; with that much entropy a slow hash would add nothing.
 */
export type KeyKind = "source" | "merchant" | "operator";

/** What a merchant's key may: read the merchant's numbers, or read them and manage the merchant's keys. */
export const KEY_ROLES = ["read", "manage"] as const;
export type KeyRole = (typeof KEY_ROLES)[number];

const TAG = { source: "src", merchant: "mch", operator: "opr" } as const satisfies Record<KeyKind, string>;
const TOKEN = /^tally_(?:src|mch|opr)_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export interface MintedKey {
  readonly id: string;
  /** The whole key, to be shown once. */
  readonly token: string;
  readonly secretHash: string;
}

/** Makes a key from 40 random bytes: 8 for the id, 32 for the secret. */
export async function mintKey(kind: KeyKind, random: Uint8Array): Promise<MintedKey> {
  if (random.length !== 40) throw new Error("a key takes 40 random bytes");
  const id = toHex(random.subarray(0, 8));
  const secret = toBase64url(random.subarray(8));
  return { id, token: `${keyPrefix(kind, id)}_${secret}`, secretHash: await sha256(secret) };
}

/** All of a key but its secret: what may be shown and logged. */
export function keyPrefix(kind: KeyKind, id: string): string {
  return `tally_${TAG[kind]}_${id}`;
}

const SECRET_OF_TOKEN = /(tally_(?:src|mch|opr)_[0-9a-f]{16})_[A-Za-z0-9_-]+/g;

/** A text in which keys show their id alone: whatever is logged, or told in an error, may have been sent with a key in the wrong place. */
export function withoutKeySecrets(text: string): string {
  return text.replaceAll(SECRET_OF_TOKEN, "$1");
}

export interface ParsedKey {
  readonly id: string;
  readonly secret: string;
}

export function parseKey(token: string): ParsedKey | undefined {
  const [, id, secret] = TOKEN.exec(token) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export async function secretMatches(secret: string, storedHash: string): Promise<boolean> {
  const given = await sha256(secret);
  if (given.length !== storedHash.length) return false;
  // Every digit is looked at, whatever the earlier ones were.
  let difference = 0;
  for (let i = 0; i < given.length; i++) difference |= given.charCodeAt(i) ^ storedHash.charCodeAt(i);
  return difference === 0;
}

async function sha256(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}
