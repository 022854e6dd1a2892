import { en, type MessageName } from "./messages-en.ts";

/** What is said of a code, or of the member of a body that is at fault; `undefined` where only the API can say it. */
export function refusalMessage(code: string, parameter: string | undefined): MessageName | undefined {
  if (code === "invalid_body") return MEMBERS.get((parameter ?? "").split(".")[0] ?? "");
  const name = `refused.${code}`;
  return isMessage(name) ? name : undefined;
}

const isMessage = (name: string): name is MessageName => name in en;

/** What forms send and can have wrong. Where in a source's mapping the fault is, the API alone says: it is no field, but JSON. */
export const MEMBERS: ReadonlyMap<string, MessageName> = new Map([
  ["name", "wrong.name"],
  ["id", "wrong.id"],
  ["merchant", "wrong.id"],
  ["merchants", "wrong.merchants"],
  ["rule", "wrong.rule"],
  ["webhook", "refused.invalid_webhook_url"],
  ["timezone", "refused.unknown_zone"],
  ["currency", "refused.invalid_currency"],
  ["expires_at", "refused.invalid_time"],
  ["key", "sign_in.wrong"],
]);
