import type { Context } from "hono";
import { addLogEntry, finishLogEntry, type NewLogEntry } from "../directory/admin-log.ts";
import { subjectOf } from "../directory/authenticate.ts";
import { withoutKeySecrets } from "../directory/key.ts";
import { inBackground } from "./background.ts";
import type { Caller } from "./caller.ts";
import type { AdmitEnv, Guarded } from "./guarded.ts";
import { loggedParameters } from "./logged-parameters.ts";

/**
 * Refusals of one key, or of nobody in particular, that an isolate logs in a minute. Any key can cause them, a merchant's or a source's too, and each costs a
 * row, and in the end one of what was really done: the log is bounded. The others are left out.
 */
export const REFUSALS_PER_MINUTE_MAX = 60;
const MINUTE_MS = 60_000;

type LoggedContext = Context<Guarded<AdmitEnv>>;

/**
 * A call that is to stand in the log of administration (docs/decisions/0037). It is written before anything is done, so that nothing is done unwritten; how it ended is
 * added behind the answer, which no failure of that can take back.
 */
export class LoggedCall {
  readonly #c: LoggedContext;
  readonly #route: string;
  readonly #caller: Caller | null;
  readonly #nowMs: number;
  #id: number | undefined;

  constructor(c: LoggedContext, route: string, caller: Caller | null, nowMs: number) {
    this.#c = c;
    this.#route = route;
    this.#caller = caller;
    this.#nowMs = nowMs;
  }

  /** Before it is done. Throws `DirectoryUnavailable`: then it is not. */
  async begin(): Promise<void> {
    this.#id = await addLogEntry(this.#c.env.DIRECTORY, await this.#entry(undefined));
  }

  /** After it was done. */
  end(status: number): void {
    if (this.#id === undefined) return;
    inBackground(this.#c, "completing the log", finishLogEntry(this.#c.env.DIRECTORY, this.#id, status, Date.now()));
  }

  /** In the place of both, when it is not to be done. */
  noteRefusal(status: number): void {
    if (!mayNoteRefusal(this.#caller?.keyId ?? NOBODY, this.#nowMs)) return;
    const noted = this.#entry(status).then((entry) => addLogEntry(this.#c.env.DIRECTORY, entry));
    inBackground(this.#c, "logging a refusal", noted);
  }

  async #entry(status: number | undefined): Promise<NewLogEntry> {
    const { req, var: variables } = this.#c;
    const principal = this.#caller?.principal;
    return {
      at: this.#nowMs,
      requestId: variables.requestId,
      kind: principal?.kind ?? null,
      subject: principal === undefined ? null : subjectOf(principal),
      keyId: this.#caller?.keyId ?? null,
      isSession: this.#caller?.session !== undefined,
      method: req.method,
      route: this.#route,
      // What was sent by nobody in particular is not kept.
      parameters:
        this.#caller === null ? { path: withoutKeySecrets(req.path).slice(0, 200) } : await loggedParameters(req),
      status: status ?? null,
      finishedAt: status === undefined ? null : this.#nowMs,
    };
  }
}

/** In the place of a key's id. */
const NOBODY = "";
/** Of the present minute, by key: no more of them than keys that hold and were used in it. */
let refusals = { minute: 0, counts: new Map<string, number>() };

function mayNoteRefusal(keyId: string, nowMs: number): boolean {
  const minute = Math.floor(nowMs / MINUTE_MS);
  if (refusals.minute !== minute) refusals = { minute, counts: new Map() };
  const count = (refusals.counts.get(keyId) ?? 0) + 1;
  refusals.counts.set(keyId, count);
  return count <= REFUSALS_PER_MINUTE_MAX;
}
