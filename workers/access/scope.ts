import { MERCHANT_ID_PATTERN } from "../../shared/event.ts";
import { err, ok, type Result, unreachable } from "../../shared/result.ts";
import { notFound, type Problem, unauthorized } from "../http/problem.ts";
import type { Caller } from "./caller.ts";
import type { Who } from "./table.ts";

/** What is asked for: the path as it came, and the merchant it names, if it names one. */
export interface Target {
  readonly path: string;
  readonly merchantId: string | undefined;
}

/** Where a path names a merchant: `/v1/merchants/{id}` and below. */
const MERCHANT_PATH = /^\/v1\/merchants\/([^/]+)(?:\/|$)/;

export function targetOf(path: string): Target {
  return { path, merchantId: MERCHANT_PATH.exec(path)?.[1] };
}

/** Whether a caller may: pure, and all there is to it but for the proof of a session's page (`admit`). */
export function checkScope(
  who: Exclude<Who, "anyone">,
  caller: Caller | null,
  target: Target,
): Result<Caller, Problem> {
  if (caller === null) return err(unauthorized(`Send Authorization: Bearer with ${WANTED[who]}.`));
  if (!mayCall(who, caller, target)) return err(forbidden(who, caller, target));
  if (NAMES_MERCHANT[who] && !MERCHANT_ID_PATTERN.test(target.merchantId ?? "")) return err(notFound(target.path));
  return ok(caller);
}

function mayCall(who: Exclude<Who, "anyone">, { principal, session }: Caller, { merchantId }: Target): boolean {
  switch (who) {
    case "source":
      return principal.kind === "source" && session === undefined;
    case "merchant":
      if (principal.kind === "operator") return true;
      return principal.kind === "merchant" && principal.merchantId === merchantId;
    case "manager":
      if (principal.kind === "operator") return true;
      return principal.kind === "merchant" && principal.merchantId === merchantId && principal.role === "manage";
    case "reader":
      return principal.kind === "merchant" || principal.kind === "operator";
    case "session":
      return session !== undefined && principal.kind !== "source";
    case "operator":
      return principal.kind === "operator";
    default:
      return unreachable(who);
  }
}

/** Whose paths name a merchant. */
const NAMES_MERCHANT: Readonly<Partial<Record<Who, true>>> = { merchant: true, manager: true };

const WANTED: Readonly<Record<Exclude<Who, "anyone">, string>> = {
  source: "a source's key",
  merchant: "a key of the merchant, or an operator's",
  manager: "a key of the merchant with the role manage, or an operator's",
  reader: "a merchant's or an operator's key",
  session: "no key: sign in with POST /v1/session, and send its cookie",
  operator: "an operator's key",
};

function forbidden(who: Exclude<Who, "anyone">, { principal }: Caller, { merchantId }: Target): Problem {
  if (NAMES_MERCHANT[who] && principal.kind === "merchant") {
    return principal.merchantId === merchantId ? readsOnly : otherMerchant;
  }
  const yours = principal.kind === "operator" ? "an operator's" : `a ${principal.kind}'s`;
  return refusal("The key may not do this", `This takes ${WANTED[who]}; yours is ${yours}.`);
}

function refusal(title: string, detail: string): Problem {
  return { status: 403, code: "forbidden", title, detail };
}

const otherMerchant = refusal("The key does not read this merchant", "A merchant's key reads that merchant only.");

const readsOnly = refusal(
  "The key reads, and may not do this",
  `This takes ${WANTED.manager}; yours has the role read.`,
);
