import type { Context } from "hono";
import { z } from "zod";
import { err, ok, type Result } from "../../shared/result.ts";
import type { Problem } from "../http/problem.ts";

/** The JSON body of a request, as its schema has it; none counts as `{}`. */
export async function readJson<Output>(c: Context, schema: z.ZodType<Output>): Promise<Result<Output, Problem>> {
  const text = await c.req.text();
  const body = text === "" ? ok({}) : parse(text);
  if (!body.ok) return body;
  const parsed = schema.safeParse(body.value);
  if (parsed.success) return ok(parsed.data);
  const { issues } = parsed.error;
  return err({
    status: 422,
    code: "invalid_body",
    title: "The body is not as it should be",
    detail: z.prettifyError(parsed.error),
    extensions: {
      parameter: issues[0]?.path.join(".") ?? "",
      errors: issues.map(({ path, message }) => ({ path: path.join("."), message })),
    },
  });
}

function parse(text: string): Result<unknown, Problem> {
  try {
    return ok(JSON.parse(text));
  } catch {
    return err({
      status: 400,
      code: "malformed_json",
      title: "The body is not JSON",
      detail: "Send a JSON object.",
      extensions: { parameter: "body" },
    });
  }
}
