import { DIMENSIONS } from "../../../../shared/breakdown.ts";
import { type Failure, UNKNOWN_CODE } from "../data/request.ts";
import type { MessageName } from "../text/messages-en.ts";
import { refusalMessage } from "../text/refusal-message.ts";
import type { Text } from "../text/text.ts";

type Translate = Text<MessageName>;

export interface FailureWords {
  readonly text: string;
  /** Of the API, in English. */
  readonly detail?: string;
}

/** In the language of `t`. A refusal that is known by its code, or by what it is about, is told by the page alone, one that is not by the API, too. */
export function failureWords(failure: Failure, t: Translate, isBesideIt = false): FailureWords {
  switch (failure.reason) {
    case "signed_out":
      return { text: t("expired.title") };
    case "unreachable":
      return { text: t("failure.unreachable") };
    case "refused":
      return refusalWords(failure, t, isBesideIt);
    default:
      return failure satisfies never;
  }
}

/** Too slow, in conflict with another, too often. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 409, 429]);
/** An hour that is not sorted yet may be searched in time when less is being read. */
const PASSING_CODES: ReadonlySet<string> = new Set(["hour_not_compacted"]);

/** Whether the same may be answered a moment later: what is asked for wrongly stays wrong. */
export function mayPass(failure: Failure): boolean {
  if (failure.reason !== "refused" || failure.code === UNKNOWN_CODE) return true;
  return failure.status >= 500 || PASSING_STATUSES.has(failure.status) || PASSING_CODES.has(failure.code);
}

type Refusal = Extract<Failure, { readonly reason: "refused" }>;

function refusalWords({ status, code, detail, parameter }: Refusal, t: Translate, isBesideIt: boolean): FailureWords {
  const known = refusalMessage(code, parameter);
  if (known !== undefined) return { text: t(known, { parameter: nameOf(parameter ?? "", t) }) };
  if (status === 429) return { text: t("failure.too_many") };
  if (status >= 500 && (status !== 503 || code === UNKNOWN_CODE)) return { text: t("failure.ours") };
  if (isBesideIt) return { text: t("failure.value"), detail };
  if (parameter !== undefined && parameter !== "")
    return { text: t("failure.parameter", { parameter: nameOf(parameter, t) }), detail };
  return { text: t("failure.refused"), detail };
}

/** Those that stand on these pages have the name that they have there. */
const PARAMETERS: ReadonlyMap<string, MessageName> = new Map([
  ["from", "span.from"],
  ["to", "span.to"],
  ["tz", "zone.label"],
  ["timezone", "zone.label"],
  ["currency", "currency.label"],
  ["compare", "compare.label"],
  ["granularity", "granularity.label"],
  ...DIMENSIONS.map((name) => [name, `dimension.${name}`] as const),
]);

function nameOf(parameter: string, t: Translate): string {
  const name = PARAMETERS.get(parameter);
  return name === undefined ? parameter : t(name);
}
