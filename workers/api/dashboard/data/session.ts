import { signal } from "@preact/signals";
import { dropFragment } from "../address/address.ts";
import type { SessionAnswer } from "./answers.ts";
import { forgetAnswers, learn, refreshAll } from "./kept-answers.ts";
import { merchantQuestion } from "./questions.ts";
import { ask, type Failure, setCsrfToken, whenSignedOut } from "./request.ts";

export interface Account {
  readonly kind: SessionAnswer["kind"];
  /** The merchant's id, or the operator's name. */
  readonly subject: string;
  /** Of a merchant's: what the key that it was begun with may. */
  readonly role: SessionAnswer["role"];
}

/** Whether keys can be made and ended in it; the API decides, and this says what is worth showing. */
export function managesKeys({ kind, role }: Account): boolean {
  return kind === "operator" || role === "manage";
}

export type SessionState =
  /** Asked for; `failure` is why that came to nothing so far. */
  | { readonly is: "unknown"; readonly failure?: Failure }
  | { readonly is: "signed_out" }
  | { readonly is: "signed_in"; readonly account: Account }
  /** It was there, and what it showed still is; whoever signs in again goes on where it ended. */
  | { readonly is: "expired"; readonly account: Account };

export const session = signal<SessionState>({ is: "unknown" });
/** Whether the key in the address was refused. */
export const didLinkFail = signal(false);

/** Whether this browser has a session is known without asking, so that a visitor's first page asks for nothing it would be refused. */
const EXPIRES_AT = "tally.session-expires-at";
const KEY_FRAGMENT = "#key=";

whenSignedOut(() => {
  const now = session.value;
  if (now.is === "signed_in") session.value = { is: "expired", account: now.account };
  else if (now.is === "unknown") session.value = { is: "signed_out" };
});

/** Signs in by the key in the address, if there is one, or finds the session that this browser has. */
export async function beginSession(): Promise<void> {
  if (location.hash.startsWith(KEY_FRAGMENT)) {
    const key = decodeURIComponent(location.hash.slice(KEY_FRAGMENT.length));
    dropFragment();
    didLinkFail.value = (await signIn(key)) !== undefined;
    if (didLinkFail.value) session.value = { is: "signed_out" };
    return;
  }
  if (!(Date.parse(localStorage.getItem(EXPIRES_AT) ?? "") > Date.now())) {
    session.value = { is: "signed_out" };
    return;
  }
  await resume();
}

/** Answers why not; a session of somebody else than before forgets what that one saw. */
export async function signIn(key: string): Promise<Failure | undefined> {
  const answer = await ask<SessionAnswer>("/v1/session", { method: "POST", body: { key: key.trim() } });
  if (!answer.ok) return answer.error;
  didLinkFail.value = false;
  enter(answer.value);
  return undefined;
}

/** Answers why not: a session that nobody could end goes on in this browser, and whoever leaves it must know. */
export async function signOut(): Promise<Failure | undefined> {
  const answer = await ask("/v1/session", { method: "DELETE" });
  if (!answer.ok && session.value.is === "signed_in") return answer.error;
  localStorage.removeItem(EXPIRES_AT);
  leave();
  return undefined;
}

function leave(): void {
  session.value = { is: "signed_out" };
  forgetAnswers();
}

// What is done in another tab is done in this one: the cookie is the same.
addEventListener("storage", ({ key, newValue }) => {
  if (key !== EXPIRES_AT || session.value.is === "unknown") return;
  if (newValue === null) leave();
  else void resume();
});

const RETRY_MS = 3_000;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Tries until somebody answers: a page that was open when the network went needs no reload. */
export async function resume(): Promise<void> {
  clearTimeout(retry);
  const answer = await ask<SessionAnswer>("/v1/session");
  if (answer.ok) return enter(answer.value);
  if (answer.error.reason === "signed_out") return;
  if (session.value.is === "unknown") session.value = { is: "unknown", failure: answer.error };
  retry = setTimeout(() => void resume(), RETRY_MS);
}

function enter({ kind, subject, role, merchant, session: made }: SessionAnswer): void {
  setCsrfToken(made?.csrf_token ?? "");
  localStorage.setItem(EXPIRES_AT, made?.expires_at ?? "");
  const before = session.value;
  const account = { kind, subject, role };
  if ("account" in before && (before.account.kind !== kind || before.account.subject !== subject)) forgetAnswers();
  if (merchant != null) learn(merchantQuestion(merchant.id), merchant);
  session.value = { is: "signed_in", account };
  if (before.is === "expired") refreshAll();
}
