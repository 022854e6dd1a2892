/** What a process that runs seeds is told, and what it answers: as they cross between processes. */
export interface SeedOrder {
  readonly seed: number;
  readonly steps: number;
  /** Whether to look for the shortest prefix that fails, too. */
  readonly shrink: boolean;
  /** Whether to hand over the trace of a run that does not fail, too. */
  readonly trace: boolean;
}

export interface SeedOutcome {
  readonly seed: number;
  /** Of the shortest failing prefix, when there was a failure and it was looked for. */
  readonly steps: number;
  /** Of the trace of all steps. */
  readonly digest: string;
  readonly failure?: string;
  /** Of what failed, or was asked for. */
  readonly trace?: readonly string[];
}
