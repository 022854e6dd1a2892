import { readFileSync } from "node:fs";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { z } from "zod";

/**
 * Holds every response that a system test gets from a Worker to the OpenAPI document: its status, media type, headers and body, and of an error the
 * code. Set up for all of them (vitest.config.ts); what does not conform fails the call. The document is the one that the build has put there.
 */

const contentSchema = z.record(z.string(), z.looseObject({}));
const operationSchema = z.looseObject({
  responses: z.record(
    z.string(),
    z.looseObject({ content: contentSchema.default({}), headers: z.record(z.string(), z.unknown()).default({}) }),
  ),
});
const documentSchema = z.looseObject({ paths: z.record(z.string(), z.record(z.string(), operationSchema)) });
const text = readFileSync("dist/site/openapi.json", "utf8");
const document = documentSchema.parse(JSON.parse(text));

const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
ajv.addSchema(JSON.parse(text), "openapi");

const PATHS = Object.entries(document.paths).map(([path, methods]) => ({
  path,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
  methods,
}));

/** Which headers are only sent in some of the cases they are described for. */
const SOMETIMES = new Set([
  "RateLimit",
  "RateLimit-Policy",
  "Preference-Applied",
  "ETag",
  "Cache-Status",
  "Content-Disposition",
  "Tally-Notices",
]);

/** Throws what is wrong with a response to such a request; of a path that is none of ours, nothing is. */
async function checkConforms(method: string, pathname: string, response: Response): Promise<void> {
  const found = PATHS.find(({ pattern, methods }) => pattern.test(pathname) && method in methods);
  const operation = found?.methods[method];
  if (found === undefined || operation === undefined) return;
  const fault = (what: string) =>
    new Error(`${method} ${found.path} answered ${response.status} and does not conform: ${what}`);
  const answer = operation.responses[response.status];
  if (answer === undefined) throw fault(`the status is not described (${(await response.text()).slice(0, 200)})`);
  for (const name of Object.keys(answer.headers)) {
    if (!response.headers.has(name) && !SOMETIMES.has(name)) throw fault(`${name} is missing`);
  }
  const type = response.headers.get("Content-Type")?.split(";")[0]?.trim();
  if (type === undefined && Object.keys(answer.content).length === 0) return;
  if (type === undefined || answer.content[type] === undefined) throw fault(`${type} is not described`);
  if (!type.endsWith("json")) return;
  const validate = validatorOf(["paths", found.path, method, "responses", String(response.status), "content", type]);
  if (!validate(await response.json())) throw fault(ajv.errorsText(validate.errors));
}

const validators = new Map<string, ValidateFunction>();

function validatorOf(steps: readonly string[]): ValidateFunction {
  const pointer = [...steps, "schema"].map((step) => encodeURIComponent(step.replace(/~/g, "~0").replace(/\//g, "~1")));
  const $ref = `openapi#/${pointer.join("/")}`;
  const known = validators.get($ref) ?? ajv.compile({ $ref });
  validators.set($ref, known);
  return known;
}

const { fetch: plainFetch } = globalThis;

globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init);
  const { hostname, pathname } = new URL(input instanceof Request ? input.url : input);
  const method = (init?.method ?? (input instanceof Request ? input.method : "GET")).toLowerCase();
  const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream") === true;
  if (hostname === "127.0.0.1")
    await checkConforms(method, pathname, isStream ? withoutBody(response) : response.clone());
  return response;
};

function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers });
}
