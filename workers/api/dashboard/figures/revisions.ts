import { useEffect, useRef, useState } from "preact/hooks";
import { GRACE_MS } from "../../../../shared/window.ts";
import { type Bucket, MEASURE, type Measure } from "../data/answers.ts";

/** A correction of a bucket that this page has seen happen: by how much, for each figure. */
export interface Revision {
  readonly atMs: number;
  readonly before: Bucket;
  readonly after: Bucket;
}

export type Revisions = ReadonlyMap<string, Revision>;

/** Whether something came after it had closed. */
export function isRevised({ end, revision, status }: Pick<Bucket, "end" | "revision" | "status">): boolean {
  return status !== "open" && revision > Date.parse(end) + GRACE_MS;
}

/** Marks say where something was revised as long as that is the exception among what has closed with anything in it. */
const MARKED_SHARE_MAX = 0.2;
/** More of them run into one another. */
const MARKED_MAX = 40;

export interface Marks {
  readonly isMarked: (bucket: Bucket) => boolean;
  /** How many of how many buckets were revised, and when the last was, if they are too many to be marked. */
  readonly unmarked: { readonly count: number; readonly of: number; readonly lastMs: number } | undefined;
}

/** Which buckets are marked as revised: those that were seen to be in any case. */
export function marksOf(buckets: readonly Bucket[], seen: Revisions): Marks {
  const revised = buckets.filter(isRevised);
  const closed = buckets.filter(({ status, revision }) => status !== "open" && revision > 0);
  const isException = revised.length <= Math.min(MARKED_MAX, Math.max(1, closed.length * MARKED_SHARE_MAX));
  return {
    isMarked: (bucket) => seen.has(bucket.start) || (isException && isRevised(bucket)),
    unmarked: isException
      ? undefined
      : { count: revised.length, of: closed.length, lastMs: Math.max(...revised.map(({ revision }) => revision)) },
  };
}

/** What is known of revisions, and those that a newer answer to the same question shows. */
export function withRevisions(known: Revisions, before: readonly Bucket[], after: readonly Bucket[]): Revisions {
  const earlier = new Map(before.map((bucket) => [bucket.start, bucket]));
  const found = after.flatMap((bucket): [string, Revision][] => {
    const was = earlier.get(bucket.start);
    if (was === undefined || was.status === "open" || was.end !== bucket.end || bucket.revision <= was.revision)
      return [];
    return [[bucket.start, { atMs: bucket.revision, before: known.get(bucket.start)?.before ?? was, after: bucket }]];
  });
  return found.length === 0 ? known : new Map([...known, ...found]);
}

export function revisedBy({ before, after }: Revision, measure: Measure): number {
  return (MEASURE[measure].of(after) ?? 0) - (MEASURE[measure].of(before) ?? 0);
}

const NONE: Revisions = new Map();

/** The corrections that happen while a component shows the answer to one question. */
export function useRevisions(question: string, buckets: readonly Bucket[] | undefined): Revisions {
  const [known, setKnown] = useState(NONE);
  const before = useRef<{ readonly question: string; readonly buckets: readonly Bucket[] }>(undefined);
  useEffect(() => {
    if (buckets === undefined) return;
    const was = before.current;
    before.current = { question, buckets };
    if (was?.question === question) setKnown((revisions) => withRevisions(revisions, was.buckets, buckets));
    else setKnown(NONE);
  }, [question, buckets]);
  return known;
}
