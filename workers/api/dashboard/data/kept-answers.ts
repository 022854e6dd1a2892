import { type Answer, ask, type Failure, reachable } from "./request.ts";

/** A question: a path, and a body where it is a query. */
export interface Question {
  readonly path: string;
  readonly body?: unknown;
}

/** What is known of the answer to a question; `answer` stays while a newer one is asked for, and when that fails. */
export interface Known<T> {
  readonly answer: T | undefined;
  readonly atMs: number;
  readonly failure: Failure | undefined;
  readonly isLoading: boolean;
}

interface Entry {
  readonly question: Question;
  known: Known<unknown>;
  readonly listeners: Set<() => void>;
  asking: AbortController | undefined;
  /** What is under way was asked for before something changed. */
  isOutdated: boolean;
}

/** Answers kept, so that going back to a span draws at once. A year by day takes a megabyte. */
const ENTRIES_MAX = 60;
const NOTHING: Known<never> = { answer: undefined, atMs: 0, failure: undefined, isLoading: false };

const entries = new Map<string, Entry>();

const keyOf = ({ path, body }: Question) => (body === undefined ? path : `${path} ${JSON.stringify(body)}`);

export function known<T>(question: Question): Known<T> {
  return (entries.get(keyOf(question))?.known ?? NOTHING) as Known<T>;
}

/** Tells of every change, and has the question asked unless there is an answer younger than `ageMsMax`. Whoever leaves last takes the request back. */
export function listen(question: Question, ageMsMax: number, listener: () => void): () => void {
  const entry = entryOf(question);
  entry.listeners.add(listener);
  if (entry.known.answer === undefined || Date.now() - entry.known.atMs > ageMsMax) refresh(question);
  return () => {
    entry.listeners.delete(listener);
    if (entry.listeners.size > 0) return;
    takeBack(entry);
    dropOldest();
  };
}

/** What came with the answer to something else. */
export function learn(question: Question, answer: unknown): void {
  tell(entryOf(question), { answer, atMs: Date.now(), failure: undefined, isLoading: false });
}

/** Asks anew, unless that is under way. */
export function refresh(question: Question): void {
  const entry = entryOf(question);
  if (entry.asking === undefined) request(entry, question, false);
}

/** Asks anew for what has just changed, past what is kept on the way; what is under way may be of before, and is followed by another request. */
export function renew(question: Question): void {
  const entry = entryOf(question);
  // Should whoever waits for the new answer leave before it is there, the next one asks.
  entry.known = { ...entry.known, atMs: 0 };
  if (entry.asking === undefined) request(entry, question, true);
  else entry.isOutdated = true;
}

function request(entry: Entry, question: Question, isPastCaches: boolean): void {
  const asking = new AbortController();
  entry.asking = asking;
  tell(entry, { ...entry.known, isLoading: true });
  const { path, body } = question;
  const method = body === undefined ? {} : { method: "POST" as const, body };
  ask<unknown>(path, { ...method, isPastCaches, signal: asking.signal }).then(
    (answer) => {
      if (entry.asking === asking) finish(entry, answer);
    },
    // Taken back.
    () => {},
  );
}

/** All that is on the screen. */
export function refreshAll(): void {
  for (const { question, listeners } of [...entries.values()]) if (listeners.size > 0) refresh(question);
}

// Whoever answers again tells that the rest can be asked for, too.
reachable.subscribe((isReachable) => {
  if (!isReachable) return;
  for (const { question, listeners, known } of [...entries.values()])
    if (listeners.size > 0 && known.failure?.reason === "unreachable") refresh(question);
});

/** Of nobody's any more: another merchant's numbers must not be drawn by a later session. */
export function forgetAnswers(): void {
  for (const [key, entry] of entries) {
    takeBack(entry);
    if (entry.listeners.size === 0) entries.delete(key);
    else tell(entry, NOTHING);
  }
}

function takeBack(entry: Entry): void {
  entry.asking?.abort();
  entry.asking = undefined;
  entry.isOutdated = false;
  entry.known = { ...entry.known, isLoading: false };
}

function finish(entry: Entry, answer: Answer<unknown>): void {
  const { isOutdated } = entry;
  entry.asking = undefined;
  entry.isOutdated = false;
  if (answer.ok) tell(entry, { answer: answer.value, atMs: Date.now(), failure: undefined, isLoading: false });
  else tell(entry, { ...entry.known, failure: answer.error, isLoading: false });
  if (isOutdated) renew(entry.question);
}

function tell(entry: Entry, now: Known<unknown>): void {
  entry.known = now;
  for (const listener of entry.listeners) listener();
}

/** The one asked for last stands last. */
function entryOf(question: Question): Entry {
  const key = keyOf(question);
  const entry = entries.get(key) ?? newEntry(question);
  entries.delete(key);
  entries.set(key, entry);
  return entry;
}

const newEntry = (question: Question): Entry => ({
  question,
  known: NOTHING,
  listeners: new Set(),
  asking: undefined,
  isOutdated: false,
});

function dropOldest(): void {
  for (const [key, { listeners }] of entries) {
    if (entries.size <= ENTRIES_MAX) return;
    if (listeners.size === 0) entries.delete(key);
  }
}
