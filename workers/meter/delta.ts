/**
 * What an isolate has counted since it last told: `counts` are added up, `peaks` are moments' worst and stand for the minute they were seen in. Keys
 * are those of `series.ts`.
 */
export interface Delta {
  readonly counts: Readonly<Record<string, number>>;
  readonly peaks: Readonly<Record<string, number>>;
}
