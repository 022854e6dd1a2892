import { view } from "../address/address.ts";
import type { MerchantAnswer, MerchantsAnswer } from "../data/answers.ts";
import { merchantQuestion } from "../data/questions.ts";
import type { Failure } from "../data/request.ts";
import type { Account } from "../data/session.ts";
import { useAnswer } from "../data/use-answer.ts";

/** Whose numbers are shown. */
export interface Merchant {
  readonly id: string;
  readonly name: string;
  /** The merchant's own, and what is shown: another if the address says so. */
  readonly homeZone: string;
  readonly zone: string;
  readonly homeCurrency: string | undefined;
}

export interface MerchantReading {
  readonly merchant: Merchant | undefined;
  readonly failure: Failure | undefined;
  /** Whom an operator may choose from; empty for a merchant. */
  readonly choices: readonly MerchantAnswer[];
  /** Whether there are more than can be chosen from. */
  readonly hasMore: boolean;
  readonly hasNone: boolean;
}

const HOMES_AGE_MS_MAX = Number.POSITIVE_INFINITY;

/** A merchant's account shows its own numbers; an operator's those of the merchant in the address, or of the first there is. */
export function useMerchant(account: Account): MerchantReading {
  const isOperator = account.kind === "operator";
  const list = useAnswer<MerchantsAnswer>(
    isOperator ? { path: "/v1/admin/merchants?limit=200" } : undefined,
    HOMES_AGE_MS_MAX,
  );
  const choices = list.answer?.merchants ?? [];
  const id = isOperator ? (view.value.merchant ?? choices[0]?.id) : account.subject;
  const one = useAnswer<MerchantAnswer>(id === undefined ? undefined : merchantQuestion(id), HOMES_AGE_MS_MAX);
  // Events of merchants that the directory does not know are counted, too, and read in UTC.
  const isUnknown = one.failure?.reason === "refused" && one.failure.status === 404;
  const failure = isUnknown ? undefined : (one.failure ?? list.failure);
  const known = one.answer;
  return {
    merchant:
      id === undefined || (known === undefined && !isUnknown)
        ? undefined
        : {
            id,
            name: known?.name ?? id,
            homeZone: known?.timezone ?? "UTC",
            zone: view.value.zone ?? known?.timezone ?? "UTC",
            homeCurrency: known?.currency,
          },
    failure,
    choices,
    hasMore: (list.answer?.next_cursor ?? null) !== null,
    hasNone: isOperator && list.answer !== undefined && id === undefined,
  };
}
