import type { PaymentEvent } from "../clients/typescript/src/event.ts";

/**
 * A payment event as our scripts write it: the wire side, before ingest has parsed it, which makes of it what `shared/event.ts` says.
 * Senders may also write RFC 3339; ours write epoch milliseconds, so that SQL can read our files as they are.
 */
export type PaymentEventInput = PaymentEvent & { occurred_at: number };

export type { PaymentUser as UserInput } from "../clients/typescript/src/event.ts";
