import { bodyLimit } from "hono/body-limit";
import { type Problem, problemResponse } from "../http/problem.ts";

/** Of any request to this Worker. The longest that makes sense is a topology with its overrides. */
export const BODY_BYTES_MAX = 1_048_576;

const tooLarge: Problem = {
  status: 413,
  code: "body_too_large",
  title: "The body is too large",
  detail: `${BODY_BYTES_MAX} bytes are allowed.`,
};

/** Before anything reads a body: whatever does so afterwards has it in memory as a whole. */
export const limitBody = bodyLimit({ maxSize: BODY_BYTES_MAX, onError: () => problemResponse(tooLarge) });
