import { createParser } from "eventsource-parser";
import { z } from "zod";

/** Whether responses are what the OpenAPI document says: for tests, which hold every response they get to it, in workerd as in Node. */

const contentSchema = z.record(z.string(), z.looseObject({ schema: z.looseObject({}).optional() }));
const operationSchema = z.looseObject({
  responses: z.record(
    z.string(),
    z.looseObject({ content: contentSchema.default({}), headers: z.record(z.string(), z.unknown()).default({}) }),
  ),
});
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({}),
});

/** Which headers are only sent in some of the cases they are described for. */
const SOMETIMES: ReadonlySet<string> = new Set([
  "RateLimit",
  "RateLimit-Policy",
  "Preference-Applied",
  "ETag",
  "Cache-Status",
  "Content-Disposition",
  "Tally-Notices",
]);

/**
 * Gives back a response to such a request, or throws what is wrong with it; of a path that is none of ours, nothing is. A stream is held to it event by
 * event, as it is read: what is wrong then ends it with an error.
 */
export type CheckConforms = (method: string, pathname: string, response: Response) => Promise<Response>;

/** What is wrong with a value by a schema of JSON Schema 2020-12; `undefined` if nothing is. */
export type FaultOf = (value: unknown) => string | undefined;

/** Makes a validator of a schema, whose references are within it; it also stands in the document, at a pointer (RFC 6901, as the fragment of a URI). */
export type CompileSchema = (schema: object, pointer: string) => FaultOf;

/** `document`: as it is served, JSON. */
export function conformanceTo(document: unknown, compile: CompileSchema): CheckConforms {
  const { paths, components } = documentSchema.parse(document);
  const known = Object.entries(paths).map(([path, methods]) => ({
    path,
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`),
    methods,
  }));
  const compiled = new Map<object, FaultOf>();
  const validatorOf = (schema: object, steps: readonly string[]) => {
    // References of its own are to the components: they stand beside it.
    const faultOf = compiled.get(schema) ?? compile({ ...schema, components }, pointerOf(steps));
    compiled.set(schema, faultOf);
    return faultOf;
  };

  return async (method, pathname, response) => {
    const verb = method.toLowerCase();
    const found = known.find(({ pattern, methods }) => pattern.test(pathname) && verb in methods);
    const operation = found?.methods[verb];
    if (found === undefined || operation === undefined) return response;
    const fault = (what: string) =>
      new Error(`${method} ${found.path} answered ${response.status} and does not conform: ${what}`);
    const answer = operation.responses[response.status];
    if (answer === undefined)
      throw fault(`the status is not described (${(await response.clone().text()).slice(0, 200)})`);
    for (const name of Object.keys(answer.headers)) {
      if (!response.headers.has(name) && !SOMETIMES.has(name)) throw fault(`${name} is missing`);
    }
    const type = response.headers.get("Content-Type")?.split(";")[0]?.trim();
    if (type === undefined && Object.keys(answer.content).length === 0) return response;
    const content = type === undefined ? undefined : answer.content[type];
    if (type === undefined || content === undefined) throw fault(`${type} is not described`);
    if (content.schema === undefined) return response;
    const steps = ["paths", found.path, verb, "responses", String(response.status), "content", type, "schema"];
    const hold = (value: unknown) => {
      const wrong = content.schema && validatorOf(content.schema, steps)(value);
      if (wrong !== undefined) throw fault(wrong);
    };
    if (type === "text/event-stream") return heldStream(response, hold);
    if (type.endsWith("json")) hold(await response.clone().json());
    return response;
  };
}

/** The same stream; `hold` is given each event before whoever reads it has it whole. */
function heldStream(response: Response, hold: (event: unknown) => void): Response {
  const parser = createParser({
    onEvent: ({ event, id, data }) => hold({ event, ...(id !== undefined && { id }), data: JSON.parse(data) }),
  });
  const decoder = new TextDecoder();
  const held = response.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        parser.feed(decoder.decode(chunk, { stream: true }));
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(held, response);
}

function pointerOf(steps: readonly string[]): string {
  return `#/${steps.map((step) => encodeURIComponent(step.replace(/~/g, "~0").replace(/\//g, "~1"))).join("/")}`;
}
