/** The key is in the environment, so that no shell's history has it. */
export const KEY_VARIABLE = "TALLY_KEY";

export const CURL_EXAMPLES = ["today", "csv", "query", "events", "live"] as const;
export type CurlExample = (typeof CURL_EXAMPLES)[number];

export interface CurlTarget {
  readonly origin: string;
  readonly merchantId: string;
  /** A date: where the longer spans begin. */
  readonly from: string;
}

/** A line for a shell. Nothing in it needs to be escaped: ids have no quotes, and the origin is the page's own. */
export function curlLine(example: CurlExample, { origin, merchantId, from }: CurlTarget): string {
  const at = `${origin}/v1/merchants/${merchantId}`;
  const key = `-H "Authorization: Bearer $${KEY_VARIABLE}"`;
  switch (example) {
    case "today":
      return `curl ${key} '${at}/metrics?from=today&granularity=1h&compare=same_weekday'`;
    case "csv":
      return `curl ${key} -o days.csv '${at}/metrics?from=${from}&granularity=1d&format=csv&bom=true'`;
    case "query":
      return `curl ${key} -H 'Content-Type: application/json' -d '${JSON.stringify({ from, metrics: ["net"], dimensions: ["weekday", "hour"] })}' '${at}/query'`;
    case "events":
      return `curl ${key} '${at}/events?limit=20'`;
    case "live":
      return `curl -N ${key} '${at}/live'`;
    default:
      return example satisfies never;
  }
}
