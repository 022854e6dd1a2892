/** What is wrong with one event of a request, by its place in it. A `conflict` is a duplicate that says something else; all others were rejected. */
export interface ReceiptError {
  index: number;
  event_id?: string | undefined;
  code: string;
  path?: string | undefined;
  message: string;
}

/** What became of the events of a request: the counts add up to them. */
export interface Receipt {
  /** Counted now. */
  accepted: number;
  /** Counted before: a repeat is harmless. */
  duplicates: number;
  /** More than a day late: counted within minutes. */
  late: number;
  rejected: number;
  /** Safe in the log, to be counted from there. */
  queued: number;
  errors: ReceiptError[];
}

/** The receipt in an answer's body; `undefined` for any other JSON, which comes from something else than Tally. Counts that are left out are 0. */
export function readReceipt(json: unknown): Receipt | undefined {
  if (!isObject(json) || !["accepted", "queued", "rejected"].some((name) => typeof json[name] === "number")) {
    return undefined;
  }
  const counts = [json.accepted, json.duplicates, json.late, json.rejected, json.queued].map((count) => count ?? 0);
  if (!counts.every(isCount)) return undefined;
  const [accepted = 0, duplicates = 0, late = 0, rejected = 0, queued = 0] = counts;
  const errors = readErrors(json.errors ?? []);
  return errors === undefined ? undefined : { accepted, duplicates, late, rejected, queued, errors };
}

function readErrors(json: unknown): ReceiptError[] | undefined {
  if (!Array.isArray(json)) return undefined;
  const errors = json.map(readError);
  return errors.every((error) => error !== undefined) ? errors : undefined;
}

function readError(json: unknown): ReceiptError | undefined {
  if (!isObject(json) || !isCount(json.index) || typeof json.code !== "string") return undefined;
  const { index, code } = json;
  return {
    index,
    code,
    message: textOf(json.message) ?? "",
    ...("event_id" in json ? { event_id: textOf(json.event_id) } : {}),
    ...("path" in json ? { path: textOf(json.path) } : {}),
  };
}

const textOf = (value: unknown) => (typeof value === "string" ? value : undefined);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
