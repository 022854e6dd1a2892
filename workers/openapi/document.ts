import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from "zod-openapi";
import { type Answer, type Content, HEADERS, type HeaderName, type Operation, TAGS } from "./operation.ts";
import { OPERATIONS, securityOf } from "./operations.ts";
import { PROBLEMS, type ProblemCode, problemSchema } from "./problems.ts";
import { WEBHOOKS } from "./webhooks.ts";

const DESCRIPTION = `
Real-time analytics of payments for merchants: each payment counted exactly once, minutes after it happened, for five years.

Two sides: the payment app's backends post events to **ingest**; merchants read their numbers from the **api**, which also serves this page. Money is
in integer minor units of its currency and never added across currencies. Every answer says \`as_of\`, \`complete_through\`, and of each bucket its \`status\`
(\`open\`, \`provisional\`, \`final\`) and \`revision\`. Errors are \`application/problem+json\`; programs go by \`code\`.
`;

/** The OpenAPI 3.1 document of both Workers, from the schemas they validate with. The build makes it, since it is the same for everybody, and
 * puts the version of the package in. */
export function openApiDocument() {
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Tally",
      version: "0.0.0",
      description: DESCRIPTION.trim(),
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The api, which serves this page" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        key: { type: "http", scheme: "bearer", description: "A source's, merchant's or operator's key." },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-tally",
          description: "Of the dashboard. What changes something needs X-CSRF-Token beside it.",
        },
      },
    },
    paths: pathsOf(),
    webhooks: WEBHOOKS,
  });
}

const INGEST_SERVERS = [
  {
    url: "{ingest}",
    // Of a variable no description: the first schema of OpenAPI 3.1, which parsers go by to this day, knows none.
    description: "The ingest Worker; `ingest` is where yours answers",
    variables: { ingest: { default: "http://127.0.0.1:8787" } },
  },
];

function pathsOf(): Record<string, Record<string, ZodOpenApiOperationObject>> {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const [method = "", route = ""] = name.split(" ");
    const path = openApiPath(route);
    const methods = paths[path] ?? {};
    paths[path] = methods;
    methods[method.toLowerCase()] = present(name, operation);
  }
  return paths;
}

/** `/v1/merchants/:merchant` is `/v1/merchants/{merchant}` there. */
export function openApiPath(route: string): string {
  return route.replace(/:(\w+)/g, "{$1}");
}

function present(name: string, operation: Operation): ZodOpenApiOperationObject {
  const { tag, id, summary, description, path, query, headers, body } = operation;
  const security = securityOf(name);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(tag === "Collect" ? { servers: INGEST_SERVERS } : {}),
    security,
    requestParams: {
      ...(path === undefined ? {} : { path }),
      ...(query === undefined ? {} : { query }),
      ...(headers === undefined ? {} : { header: headers }),
    },
    ...(body === undefined ? {} : { requestBody: { required: body.isRequired, content: contentOf(body.content) } }),
    responses: responsesOf(operation),
  };
}

function contentOf(content: Readonly<Record<string, Content>>) {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema, example }]) => [
      type,
      { schema: schema ?? { type: "string" as const }, ...(example === undefined ? {} : { example }) },
    ]),
  );
}

function responsesOf({ answers, problems }: Operation): ZodOpenApiResponsesObject {
  const isLimited = problems.includes("rate_limited");
  const responses: Record<string, ZodOpenApiResponsesObject[`${1 | 2 | 3 | 4 | 5}${string}`]> = {};
  for (const [status, answer] of Object.entries(answers)) responses[status] = answerOf(answer, isLimited);
  for (const [status, codes] of byStatus(problems)) {
    responses[String(status)] = {
      description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].when}`).join("\n\n"),
      headers: headersOf(headersOfProblem(status, isLimited)),
      content: {
        "application/problem+json": {
          schema: {
            allOf: [
              { $ref: "#/components/schemas/Problem" },
              { type: "object", properties: { code: { enum: codes }, status: { const: status } } },
            ],
          },
          example: exampleOf(status, codes),
        },
      },
    };
  }
  return responses as ZodOpenApiResponsesObject;
}

function answerOf({ description, content, headers = [] }: Answer, isLimited: boolean) {
  const names: HeaderName[] = ["X-Request-Id", ...(isLimited ? LIMIT_HEADERS : []), ...headers];
  return {
    description,
    headers: headersOf(names),
    ...(content === undefined ? {} : { content: contentOf(content) }),
  };
}

const LIMIT_HEADERS = ["RateLimit-Policy", "RateLimit"] as const;

function headersOfProblem(status: number, isLimited: boolean): HeaderName[] {
  return [
    "X-Request-Id",
    ...(isLimited ? LIMIT_HEADERS : []),
    ...(status === 401 ? (["WWW-Authenticate"] as const) : []),
    ...(status === 429 || status === 503 ? (["Retry-After"] as const) : []),
  ];
}

function headersOf(names: readonly HeaderName[]) {
  return Object.fromEntries(
    names.map((name) => {
      const { description, example } = HEADERS[name];
      return [name, { description, schema: { type: "string" as const }, example }];
    }),
  );
}

function byStatus(codes: readonly ProblemCode[]): Map<number, ProblemCode[]> {
  const statuses = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    for (const status of PROBLEMS[code].statuses) statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  return new Map([...statuses].sort(([a], [b]) => a - b));
}

function exampleOf(status: number, [code]: readonly ProblemCode[]) {
  if (code === undefined) return undefined;
  return { type: `urn:tally:problem:${code}`, title: PROBLEMS[code].when, status, code };
}
