import type { Result } from "../../../shared/result.ts";
import type { Problem } from "../../http/problem.ts";
import type { Query } from "../parameters.ts";

/** What a read asks, understood. */
export interface Question {
  readonly merchantId: string;
  /** All that the answer depends on: two questions with the same key have the same answer. Made by `questionKey`. */
  readonly key: string;
  /** The span that is asked about; no window that the answer is made of ends later. */
  readonly fromMs: number;
  readonly toMs: number;
  /** No window that the answer is made of begins earlier, those that it compares with included. */
  readonly madeFromMs: number;
  /** What it turns out that cannot be answered is asked for again each time, and so is what is too long to be kept. */
  readonly answer: () => Promise<Result<Answer, Problem | LongTable>>;
}

/** A table that nobody keeps; who asked at the same time is given a stream each. */
export interface LongTable {
  readonly stream: () => Response;
}

export interface Answer {
  readonly text: string;
  readonly contentType: string;
  /** When the shards were asked. */
  readonly asOfMs: number;
  /** Something that could not be asked is missing: it is not kept. */
  readonly isPartial?: boolean;
  /** What is sent with it, such as the name of a file. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a POST, which HTTP knows no condition for that a tag would help with (RFC 9110 §13.1.2). */
  readonly isUntagged?: boolean;
}

/**
 * The canonical form of a question, as a path and query. Of what the caller wrote (`query`, whose names are known to the route), in order of its
 * names, what was understood (`understood`: defaults filled in, moments and zones resolved, lists sorted) stands in the place of the words: a
 * parameter that a route forgets to say anything of still makes another question.
 */
export function questionKey(
  merchantId: string,
  kind: string,
  query: Query,
  understood: Readonly<Record<string, string | number>>,
): string {
  const parts = Object.entries({ ...query, ...understood }).map(
    ([name, value]) => `${name}=${encodeURIComponent(value)}`,
  );
  return `${merchantId}/${kind}?${parts.sort().join("&")}`;
}
