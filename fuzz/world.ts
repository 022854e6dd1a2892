import { gzipSync } from "node:zlib";
import type { D1Database } from "@cloudflare/workers-types";
import { createKey, putMerchants, putSource } from "../scripts/directory.ts";
import { parseKey } from "../workers/directory/key.ts";
import type { Described } from "./described.ts";

/** What there is to attack: callers of every kind, and a tenant of whom nobody else may see anything. */
export interface World {
  readonly described: Described;
  readonly startMs: number;
  readonly tokens: Readonly<Record<CallerName, string | undefined>>;
  readonly bombs: readonly Bomb[];
  /** What stands in answers to the hidden merchant and to operators only. */
  readonly hiddenMarks: readonly string[];
}

export type CallerName =
  | "source"
  | "limited source"
  | "merchant"
  | "hidden merchant"
  | "operator"
  | "revoked operator"
  | "unknown operator"
  | "nobody";

export interface Bomb {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Merchants the cases send events of and read. */
export const MERCHANTS = ["fuzz-1", "fuzz-2", "fuzz-3", "fuzz-4"] as const;
export const HIDDEN_MERCHANT = "hidden-1";
const HIDDEN_NAME = "Verborgenwert";
/** Its one payment, as the cases send none. */
export const HIDDEN_PAYMENT = {
  event_id: "verborgen-4f1c",
  amount: 7_310_093_147,
  payment_method: "verborgen-card",
} as const;
const SECRET_UNKNOWN = "A".repeat(43);

/** Adds all that the cases ask by and for. */
export async function plantWorld(directory: D1Database, described: Described, startMs: number): Promise<World> {
  await putSource(directory, { id: "fuzz-source", name: "Fuzz", merchants: null }, startMs);
  await putSource(directory, { id: "fuzz-limited", name: "Limited", merchants: [MERCHANTS[0]] }, startMs);
  const merchants = [...MERCHANTS].map((id) => ({ id, name: id, timezone: "Asia/Tokyo", currency: "JPY" }));
  const hidden = { id: HIDDEN_MERCHANT, name: HIDDEN_NAME, timezone: "Asia/Tokyo", currency: "JPY" };
  await putMerchants(directory, [...merchants, hidden], startMs);
  const revoked = await createKey(directory, "operator", "fuzz", startMs);
  await directory.prepare("UPDATE keys SET revoked_at = 1 WHERE id = ?").bind(idOf(revoked)).run();
  const operator = await createKey(directory, "operator", "fuzz", startMs);
  const hiddenKey = await createKey(directory, "merchant", HIDDEN_MERCHANT, startMs);
  return {
    described,
    startMs,
    tokens: {
      source: await createKey(directory, "source", "fuzz-source", startMs),
      "limited source": await createKey(directory, "source", "fuzz-limited", startMs),
      merchant: await createKey(directory, "merchant", MERCHANTS[0], startMs),
      "hidden merchant": hiddenKey,
      operator,
      "revoked operator": revoked,
      "unknown operator": `tally_opr_${"0".repeat(16)}_${SECRET_UNKNOWN}`,
      nobody: undefined,
    },
    bombs: makeBombs(),
    hiddenMarks: [
      HIDDEN_NAME,
      HIDDEN_PAYMENT.event_id,
      String(HIDDEN_PAYMENT.amount),
      HIDDEN_PAYMENT.payment_method,
      idOf(hiddenKey),
    ],
  };
}

/** What unpacks to far more than a request may have. */
function makeBombs(): Bomb[] {
  const zeros = gzipSync(Buffer.alloc(300_000_000), { level: 9 });
  const lines = gzipSync(Buffer.from("{}\n".repeat(5_000_000)));
  return [
    { name: "300 MB of zeros", bytes: zeros },
    { name: "five million events", bytes: lines },
    { name: "gzip in gzip", bytes: gzipSync(zeros) },
    { name: "twenty members", bytes: Buffer.concat(Array.from({ length: 20 }, () => lines)) },
    { name: "a member that is cut off", bytes: zeros.subarray(0, zeros.byteLength - 20) },
    { name: "deep JSON", bytes: gzipSync(Buffer.from("[".repeat(5_000_000))) },
    { name: "one long text", bytes: gzipSync(Buffer.from(`{"event_id":"${"x".repeat(9_000_000)}"}`)) },
  ];
}

function idOf(token: string): string {
  const key = parseKey(token);
  if (key === undefined) throw new Error("a key that was just made cannot be read");
  return key.id;
}
