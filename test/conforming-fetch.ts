import { readFileSync } from "node:fs";
import { Ajv2020, type AnySchemaObject } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { conformanceTo } from "../workers/openapi/conformance.ts";

/**
 * Holds every response that a system test gets from a Worker to the OpenAPI document: its status, media type, headers and body, and of an error the
 * code. Set up for all of them (vitest.config.ts); what does not conform fails the call. The document is the one that the build has put there.
 */

const document: AnySchemaObject = JSON.parse(readFileSync("dist/site/openapi.json", "utf8"));
const ajv = new Ajv2020({ strict: false });
addFormats.default(ajv);
ajv.addSchema(document, "openapi");

const checkConforms = conformanceTo(document, (_, pointer) => {
  const validate = ajv.compile({ $ref: `openapi${pointer}` });
  return (value) => (validate(value) ? undefined : ajv.errorsText(validate.errors));
});

const { fetch: plainFetch } = globalThis;

globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init);
  const { hostname, pathname } = new URL(input instanceof Request ? input.url : input);
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  return hostname === "127.0.0.1" ? await checkConforms(method, pathname, response) : response;
};
