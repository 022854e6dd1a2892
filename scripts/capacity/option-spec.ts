/** One option of the command: what it stands for, and where its default comes from. */
export interface OptionSpec {
  readonly group: "The load" | "Bytes" | "Time" | "Shards" | "Log" | "History" | "Reads" | "Outage";
  /** What the value is called in the help. */
  readonly value: string;
  /** `undefined` is for what is worked out when nobody says. */
  readonly default: number | undefined;
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
  readonly what: string;
  readonly from: string;
}

/** Shapes that many options share. */
export const share = { value: "0..1", min: 0, max: 1 } as const;
export const bytes = { value: "BYTES", min: 1, max: 1e9 } as const;
export const micros = { value: "US", min: 0.001, max: 1e6 } as const;
export const millis = { value: "MS", min: 0.001, max: 1e6 } as const;
export const seconds = { value: "S", min: 0, max: 86_400 } as const;
export const count = { value: "N", min: 1, max: 100_000, whole: true } as const;
