/** An answer that is no success, as RFC 9457 tells it. */
export class TallyProblem extends Error {
  override readonly name = "TallyProblem";
  readonly status: number;
  /** Stable and machine-readable, such as `unauthorized`; `""` when the answer was not Tally's. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  /** The parameter at fault, if it is one. */
  readonly parameter: string | undefined;
  /** Everything the body says. */
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(problemText(status, body));
    this.status = status;
    this.body = body;
    this.code = textIn(body, "code");
    this.title = textIn(body, "title");
    this.detail = textIn(body, "detail");
    this.parameter = textIn(body, "parameter") || undefined;
  }
}

/** Such as `503 Busy: shard away`. */
export function problemText(status: number, body: Readonly<Record<string, unknown>>): string {
  const said = [textIn(body, "title"), textIn(body, "detail")].filter((part) => part !== "").join(": ");
  return `${status} ${said === "" ? "(no explanation)" : said}`;
}

/** The members of a JSON object; none for a text that is something else, such as a proxy's page. */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textIn(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  return typeof value === "string" ? value : "";
}
