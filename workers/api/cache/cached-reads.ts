import { ok, type Result } from "../../../shared/result.ts";
import type { Correction } from "../../directory/corrections.ts";
import { DirectoryUnavailable } from "../../directory/unavailable.ts";
import type { Problem } from "../../http/problem.ts";
import { log } from "../../log.ts";
import type { EdgeAnswers } from "./edge-answers.ts";
import { IsolateAnswers } from "./isolate-answers.ts";
import { bytesOf, type KeptAnswer, tagOf } from "./kept-answer.ts";
import { KnownCorrections } from "./known-corrections.ts";
import { BELIEVED_MS, lifetimeOf, STALE_KEPT_MS } from "./lifetime.ts";
import type { LongTable, Question } from "./question.ts";
import { SharedWork } from "./shared-work.ts";

/** While the directory is away, what is known of corrections serves for this long: whoever corrects needs it, too. */
const DIRECTORY_AWAY_MS_MAX = 60_000;

/** What the cache asks of the world, by the request at hand. */
export interface Surroundings {
  readonly nowMs: () => number;
  readonly edge: EdgeAnswers;
  /** The newest after a number, the last first; throws `DirectoryUnavailable`, as the next one does. */
  readonly correctionsAfter: (seq: number) => Promise<readonly Correction[]>;
  readonly lastCorrectionOf: (merchantId: string) => Promise<number>;
  /** A word of the shards that is another one once any window of the question has changed; null when there is none. */
  readonly markOf: (question: Question) => Promise<string | null>;
  /** For how long an answer is believed: `BELIEVED_MS`, or 0 for who wants to be sure. */
  readonly believedMs: number;
  /** Keeps work going that others wait for, or that nobody waits for. */
  readonly keepAlive: (work: Promise<unknown>) => void;
}

/** `computed`: made for this request. `shared`: made for another that asked the same at the time. */
export type Origin = "isolate" | "edge" | "computed" | "shared" | "stale";

export interface Served {
  readonly answer: KeptAnswer;
  readonly origin: Origin;
}

/**
 * The answers an isolate gives, from its memory, its data center or anew. What is given is right: as of half a second ago at the most
 * (`BELIEVED_MS`), whatever it is given from, and with every correction in it that was noted before then.
 *
 * Why that holds: what is kept says up to which correction, and to which mark of the shards, it is right. Both were read *before* the answer was
 * begun, and corrections are noted *after* windows were written. So an answer that missed the writing was begun before the note, and has a lower
 * number. Read afterwards, or noted before alone, and wrong numbers would be kept for four weeks.
 */
export class CachedReads {
  readonly #answers = new IsolateAnswers();
  readonly #corrections = new KnownCorrections();
  readonly #work = new SharedWork<Result<KeptAnswer, Problem | LongTable>>();

  /** What can be given without asking anybody. The price of a hit. */
  believed(key: string, nowMs: number): KeptAnswer | undefined {
    const kept = this.#answers.get(key);
    if (kept === undefined || nowMs >= kept.expiresMs || nowMs - this.#corrections.readAtMs >= BELIEVED_MS)
      return undefined;
    if (kept.kind !== "final" && nowMs - kept.rightAtMs >= BELIEVED_MS) return undefined;
    return this.#corrections.areAllIn(kept.corrected, kept.merchantId) === true ? kept : undefined;
  }

  async read(question: Question, around: Surroundings): Promise<Result<Served, Problem | LongTable>> {
    // While nobody can say what was corrected, nothing that is kept is right for certain.
    const found = (await this.#refresh(around)) ? await this.#find(question, around) : undefined;
    if (found !== undefined) return ok(found);
    for (let round = 1; ; round++) {
      const compute = () => this.#compute(question, around);
      const { outcome, isOwn } = await this.#work.run(question.key, compute, around.keepAlive);
      if (!outcome.ok) return outcome;
      if (isOwn) return ok({ answer: outcome.value, origin: "computed" });
      // Begun before this request came it may lack what its sender knows of. The next one was not.
      const answer = round > 1 ? outcome.value : await this.#checked(outcome.value, question, around);
      if (answer !== undefined) return ok({ answer, origin: "shared" });
    }
  }

  /**
   * The first of these that is kept, whose time has passed or that the shards have contradicted: better than nothing while what would tell better
   * cannot be asked. Never one that is known to have been corrected since.
   */
  async stale(keys: readonly string[], around: Surroundings): Promise<KeptAnswer | undefined> {
    for (const key of keys) {
      const kept = this.#answers.get(key) ?? (await around.edge.get(key));
      if (kept === undefined || around.nowMs() >= kept.expiresMs + STALE_KEPT_MS) continue;
      if ((await this.#areCorrectionsIn(kept, around)) !== false) return kept;
    }
    return undefined;
  }

  async #find(question: Question, around: Surroundings): Promise<Served | undefined> {
    const { key, toMs } = question;
    const mine = await this.#checked(this.#answers.get(key), question, around);
    if (mine !== undefined) return { answer: mine, origin: "isolate" };
    if (lifetimeOf(toMs, around.nowMs()).kind === "open") return undefined;
    const theirs = await this.#checked(await around.edge.get(key), question, around);
    return theirs === undefined ? undefined : { answer: theirs, origin: "edge" };
  }

  /** What is kept, if it is right; then it is kept as that. */
  async #checked(
    kept: KeptAnswer | undefined,
    question: Question,
    around: Surroundings,
  ): Promise<KeptAnswer | undefined> {
    const nowMs = around.nowMs();
    if (kept === undefined || nowMs >= kept.expiresMs) return undefined;
    const { seq } = this.#corrections;
    if ((await this.#areCorrectionsIn(kept, around)) !== true) return undefined;
    const isBelieved = kept.kind === "final" || nowMs - kept.rightAtMs < around.believedMs;
    if (!isBelieved && (kept.mark === null || (await around.markOf(question)) !== kept.mark)) return undefined;
    const rightAtMs = isBelieved ? kept.rightAtMs : nowMs;
    const checked = { ...kept, rightAtMs, corrected: Math.max(kept.corrected, seq) };
    this.#answers.set(question.key, checked);
    return checked;
  }

  /** `undefined` while it cannot be told. */
  async #areCorrectionsIn({ corrected, merchantId }: KeptAnswer, around: Surroundings): Promise<boolean | undefined> {
    const areIn = this.#corrections.areAllIn(corrected, merchantId);
    if (areIn !== undefined) return areIn;
    try {
      return (await around.lastCorrectionOf(merchantId)) <= corrected;
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      return undefined;
    }
  }

  async #compute(question: Question, around: Surroundings): Promise<Result<KeptAnswer, Problem | LongTable>> {
    const { key, merchantId, toMs } = question;
    const rightAtMs = around.nowMs();
    const corrected = this.#corrections.seq;
    const mark = lifetimeOf(toMs, rightAtMs).kind === "final" ? "" : await around.markOf(question);
    const answered = await question.answer();
    if (!answered.ok) return answered;
    const { text, contentType, headers, asOfMs, isPartial = false, isUntagged = false } = answered.value;
    const body = bytesOf(text);
    const lifetime = lifetimeOf(toMs, asOfMs);
    const settledMs = this.#corrections.settledMs(merchantId);
    const answer: KeptAnswer = {
      ...lifetime,
      expiresMs: rightAtMs < settledMs ? Math.min(lifetime.expiresMs, settledMs) : lifetime.expiresMs,
      merchantId,
      body,
      contentType,
      headers,
      tag: isUntagged ? "" : await tagOf(body),
      corrected,
      mark,
      rightAtMs,
    };
    if (isPartial) return ok(answer);
    this.#answers.set(key, answer);
    around.keepAlive(around.edge.set(key, answer, around.nowMs()));
    return ok(answer);
  }

  /**
   * Learns of corrections, unless that was half a second ago. While one request asks, others go on with what is known. Answers whether enough is
   * known.
   */
  async #refresh({ nowMs, believedMs, correctionsAfter }: Surroundings): Promise<boolean> {
    const askedAtMs = nowMs();
    const known = this.#corrections;
    const ageMs = askedAtMs - known.readAtMs;
    const ageMsMax = known.isDirectoryAway ? DIRECTORY_AWAY_MS_MAX : 2 * believedMs;
    if (ageMs < believedMs || (askedAtMs - known.askedAtMs < BELIEVED_MS && ageMs < ageMsMax)) return true;
    known.askedAtMs = askedAtMs;
    try {
      known.learn(await correctionsAfter(known.seq), askedAtMs);
      known.isDirectoryAway = false;
      return true;
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      if (!known.isDirectoryAway) log("warn", "corrections cannot be asked", { error: error.cause });
      known.isDirectoryAway = true;
      return ageMs < DIRECTORY_AWAY_MS_MAX;
    }
  }
}
