import { expect, test } from "vitest";
import type { z } from "zod";
import { en } from "../api/dashboard/text/messages-en.ts";
import { EXPLORE } from "../api/dashboard/text/pages/explore.ts";
import { MEMBERS } from "../api/dashboard/text/refusal-message.ts";
import type { Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { PROBLEMS, type ProblemCode } from "./problems.ts";

/** What no page of the dashboard calls. */
const NOT_CALLED =
  /^(POST \/v1\/(events|ids|admin\/topology)|GET \/healthz|GET .*\/report|.*\/v1\/admin\/(keys|alerts|erasures|metrics))\b/;

const OWN_WORDS = "the page has made the request, and no link or form can have it so";
/** Codes that need no text, each with why. */
const WITHOUT_TEXT: Partial<Record<ProblemCode, string>> = {
  unauthorized: "401 is the end of the session, which has a dialog of its own",
  rate_limited: "told by its status, 429",
  internal_error: "told by its status, 500",
  too_many_listeners: "of the live stream, which browsers tell nothing of: the page asks once a minute instead",
  invalid_body: "told by its member (below)",
  several_breakdowns: "told by Explore beside the field",
  metric_not_by_value: "told by Explore beside the field",
  mixed_currencies: "told by Explore beside the field",
  invalid_refunds_by: "no page asks for refunds by sale",
  sales_too_long_ago: "no page asks for refunds by sale",
  too_many_refunds: "no page asks for refunds by sale",
  too_many_archive_hours: "no page asks for refunds by sale",
  repeated_parameter: OWN_WORDS,
  invalid_format: OWN_WORDS,
  invalid_bom: OWN_WORDS,
  invalid_granularity: OWN_WORDS,
  invalid_group_by: OWN_WORDS,
  invalid_amounts: OWN_WORDS,
  invalid_limit: OWN_WORDS,
  invalid_order: OWN_WORDS,
  invalid_type: OWN_WORDS,
  malformed_json: OWN_WORDS,
  malformed_body: OWN_WORDS,
  body_too_large: OWN_WORDS,
};

const CHOSEN = "chosen from what there is";
/** Members of bodies that need no words, each with why. */
const WITHOUT_WORDS: Readonly<Record<string, string>> = {
  mapping: "JSON that an operator writes: the API's detail says where in it",
  role: CHOSEN,
  overlap_s: CHOSEN,
  enabled: CHOSEN,
  dry_run: CHOSEN,
  all: CHOSEN,
  ids: CHOSEN,
  remind_every_minutes: "the page does not send it",
  from: "told by invalid_time and empty_range",
  to: "told by invalid_time and empty_range",
};

const called = Object.entries(OPERATIONS).filter(([name]) => !NOT_CALLED.test(name));

test("every code that a page can be refused with has a text, or a reason to have none", () => {
  const codes = new Set(called.flatMap(([, { problems }]) => problems));
  const hasText = (code: ProblemCode) => `refused.${code}` in en;
  expect([...codes].filter((code) => !hasText(code) && !(code in WITHOUT_TEXT))).toEqual([]);
  const codesOf = Object.keys(PROBLEMS) as ProblemCode[];
  expect(codesOf.filter((code) => code in WITHOUT_TEXT && (hasText(code) || !codes.has(code)))).toEqual([]);
  for (const code of ["several_breakdowns", "metric_not_by_value", "mixed_currencies"])
    expect(EXPLORE.en).toHaveProperty(code);
});

test("every member that a form can have wrong has words, or a reason to have none", () => {
  const members = called.flatMap(([name, operation]) => (name.endsWith("/query") ? [] : membersOf(operation)));
  expect(members.length).toBeGreaterThan(0);
  expect(members.filter((member) => !MEMBERS.has(member) && !(member in WITHOUT_WORDS))).toEqual([]);
});

function membersOf({ body }: Operation): string[] {
  const schema = body?.content["application/json"]?.schema as z.ZodObject | undefined;
  return Object.keys(schema?.shape ?? {});
}
