import type { Fact } from "./reference-model.ts";
import { DAY_MS, type Sent, WINDOW_MS } from "./traffic.ts";

/** A receipt as the contract describes it. */
export interface Receipt {
  readonly accepted: number;
  readonly duplicates: number;
  readonly late: number;
  readonly rejected: number;
  readonly queued?: number;
  readonly errors: readonly { readonly index: number; readonly code: string }[];
}

/** A request on its way: what is known of its events before anything can have been made of them. */
export interface Request {
  readonly events: readonly Sent[];
  /** Those whose identity no request before has brought, each once. */
  readonly fresh: ReadonlySet<Sent>;
  /** Those of which the same window is known to have counted one of their identity. */
  readonly counted: ReadonlySet<Sent>;
}

/** What a receipt says of single events for sure. */
export interface Verdicts {
  readonly rejected: ReadonlySet<Sent>;
  readonly accepted: readonly Sent[];
  /** Counted before, exactly as they are. */
  readonly repeated: readonly Sent[];
  /** Counted before as something else. */
  readonly conflicting: readonly Sent[];
}

/** Throws when a receipt says what cannot be true; `furthestMs` is what any shard's clock has ever shown. */
export function judgeReceipt({ events, fresh, counted }: Request, receipt: Receipt, furthestMs: number): Verdicts {
  const { accepted, duplicates, late, queued = 0, errors } = receipt;
  const at = (index: number) => {
    const event = events[index];
    if (event === undefined) throw new Error(`a receipt speaks of event ${index} of ${events.length}`);
    return event;
  };
  const conflictAt = errors.filter(({ code }) => code === "conflict").map(({ index }) => index);
  const conflicts = conflictAt.map(at);
  const rejected = new Set(errors.filter(({ code }) => code !== "conflict").map(({ index }) => at(index)));
  const taken = events.filter((_, index) => !errors.some((e) => e.index === index && e.code !== "conflict"));
  const isFresh = taken.filter((event, index) => fresh.has(event) && taken.indexOf(event) === index);
  const mayBeLate = taken.filter(({ windowMs }) => windowMs + WINDOW_MS + DAY_MS <= furthestMs).length;
  const known = taken.filter((event) => counted.has(event)).length;
  const says = JSON.stringify(receipt);
  const must = (holds: boolean, rule: string) => {
    if (!holds) throw new Error(`a receipt cannot be true: ${rule}: ${says} for ${tokens(events)}`);
  };
  must(accepted + duplicates + late + queued + receipt.rejected === events.length, "it does not add up");
  must(
    receipt.rejected === rejected.size || receipt.rejected === events.length - taken.length,
    "rejected without a reason",
  );
  must(duplicates <= taken.length - isFresh.length, "something never sent before is a duplicate");
  must(conflicts.length <= duplicates, "more conflicts than duplicates");
  // The same event once more in the request may be one: of a repeat that came between.
  must(
    conflictAt.every((index) => !isFresh.includes(at(index)) || events.indexOf(at(index)) < index),
    "something never sent before is a conflict",
  );
  must(late <= mayBeLate, "late within the horizon");
  must(accepted <= taken.length - known, "something counted before is accepted");
  const isPlain = queued === 0 && late === 0;
  const allNew = isPlain && accepted === taken.length;
  const allOld = isPlain && duplicates === taken.length;
  return {
    rejected,
    accepted: allNew ? taken : isPlain ? isFresh : [],
    repeated: allOld ? taken.filter((event) => !conflicts.includes(event)) : [],
    conflicting: conflicts,
  };
}

export function tokens(events: Iterable<Sent | Fact>): string {
  return [...events].map((event) => ("token" in event ? event.token : event.sent.token)).join(" ");
}
