import { expect, test } from "vitest";
import { type Failure, UNKNOWN_CODE } from "../data/request.ts";
import { en, type MessageName, type Messages } from "../text/messages-en.ts";
import { ja } from "../text/messages-ja.ts";
import { failureWords, mayPass } from "./failure-words.ts";

const refused = (messages: Messages, code: string, over: { status?: number; parameter?: string } = {}) =>
  failureWords(
    { reason: "refused", status: 400, code, detail: "What the API says.", ...over },
    (name: MessageName, values = {}) => messages[name].replace("{parameter}", String(values.parameter)),
  );

test("a refusal whose code is known is told in the page's language, and in no other", () => {
  for (const code of ["unknown_zone", "empty_range", "too_many_buckets", "already_rotated"]) {
    const { text, detail } = refused(ja, code);
    expect(text).toMatch(/[ぁ-ん]/);
    expect(detail).toBeUndefined();
  }
  expect(refused(en, "unknown_zone").text).toBe("There is no such time zone.");
});

test("what a form has wrong is told by its member, and what a link does by the name of the filter", () => {
  const words = (member: string) => refused(ja, "invalid_body", { status: 422, parameter: member });
  expect(words("webhook.url")).toEqual({ text: ja["refused.invalid_webhook_url"] });
  expect(words("merchants.3")).toEqual({ text: ja["wrong.merchants"] });
  expect(refused(ja, "invalid_value", { parameter: "device" })).toEqual({
    text: "「端末」にそのような値はありません。別の値を選んでください。",
  });
});

test("of what is not known the page says what it is about, and the API the rest", () => {
  expect(refused(ja, "something_new", { parameter: "device" })).toEqual({
    text: "「端末」の値が正しくありません。",
    detail: "What the API says.",
  });
  expect(refused(ja, "invalid_body", { parameter: "mapping.fields.amount" })).toEqual({
    text: "「mapping.fields.amount」の値が正しくありません。",
    detail: "What the API says.",
  });
  expect(refused(ja, "something_new", { parameter: "" }).detail).toBe("What the API says.");
});

test("beside what is wrong nothing is named", () => {
  const failure = {
    reason: "refused",
    status: 400,
    code: "something_new",
    detail: "Name it once.",
    parameter: "order",
  };
  expect(failureWords(failure as Failure, (name) => ja[name], true)).toEqual({
    text: "この値は正しくありません。",
    detail: "Name it once.",
  });
});

test("what may pass can be tried again, what is asked for wrongly cannot", () => {
  const of = (status: number, code: string) => mayPass({ reason: "refused", status, code, detail: "" });
  expect([of(503, "history_unavailable"), of(429, "rate_limited"), of(403, UNKNOWN_CODE)]).toEqual([true, true, true]);
  expect([of(400, "invalid_time"), of(422, "query_too_expensive"), of(404, "not_found")]).toEqual([
    false,
    false,
    false,
  ]);
  expect([of(422, "hour_not_compacted"), of(422, "hour_too_large")]).toEqual([true, false]);
  expect(mayPass({ reason: "unreachable" })).toBe(true);
});

test("what is busy or broken is told without a detail, whatever the code", () => {
  expect(refused(en, "something_new", { status: 429 })).toEqual({
    text: "Too much was asked for at once. Try again in a moment.",
  });
  expect(refused(en, "internal_error", { status: 500 }).detail).toBeUndefined();
  expect(refused(en, "tested_just_now", { status: 429 }).text).toBe(
    "There was a test just now. Try again in a moment.",
  );
});
