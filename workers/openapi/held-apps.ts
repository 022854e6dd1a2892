import { app } from "../api/index.ts";
import ingestApp from "../ingest/index.ts";
import { conformanceTo } from "./conformance.ts";
import { openApiDocument } from "./document.ts";
import { interpretedSchema } from "./interpreted-schema.ts";

/** The routers of both Workers for tests in workerd: whatever they answer is held to the OpenAPI document, and what does not conform fails the call. */

const checkConforms = conformanceTo(JSON.parse(JSON.stringify(openApiDocument())), interpretedSchema);

export const api = held(app);
export const ingest = held(ingestApp);

type Ask = typeof app.request;

function held<Router extends { readonly request: unknown }>(router: Router): Router {
  const ask = router.request as Ask;
  const request = async (...[input, init, env, context]: Parameters<Ask>) => {
    const response = await ask(input, init, env, context);
    const { pathname } = new URL(input instanceof Request ? input.url : input, "https://tally.example");
    const method = init?.method ?? (input instanceof Request ? input.method : "GET");
    return await checkConforms(method, pathname, response);
  };
  return Object.assign(router, { request });
}
