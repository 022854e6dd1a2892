import { type Context, Hono } from "hono";
import { z } from "zod";
import { MERCHANT_ID_PATTERN } from "../../shared/event.ts";
import { isCurrency } from "../../shared/iso-codes.ts";
import { PATH_ID_RULE } from "../../shared/path-id.ts";
import { err, ok } from "../../shared/result.ts";
import type { Guarded } from "../access/guarded.ts";
import { listMerchants, type Merchant, putMerchant, readMerchant } from "../directory/merchants.ts";
import { invalidParameter, type Problem, problemResponse } from "../http/problem.ts";
import { fresh } from "./answer.ts";
import type { Env } from "./env.ts";
import { readJson } from "./json-body.ts";
import type { merchantSchema, merchantsSchema } from "./merchant-schema.ts";
import { readPage } from "./page.ts";
import { parseZone } from "./zone.ts";

export { merchantSchema, merchantsSchema } from "./merchant-schema.ts";

const zoneSchema = z.string().transform((text, context) => {
  const zone = parseZone(text);
  if (zone.ok) return zone.value;
  context.addIssue({ code: "custom", message: zone.error.hint });
  return z.NEVER;
});

/** The body of `PUT /v1/admin/merchants/:merchant`. */
export const putMerchantSchema = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .meta({ examples: ["Café Hoshino"] }),
  timezone: zoneSchema.meta({ description: "IANA zone that reads use when they name none.", examples: ["Asia/Tokyo"] }),
  currency: z
    .string()
    .refine(isCurrency, "an ISO 4217 code, such as JPY")
    .meta({ examples: ["JPY"] }),
});

/** Below `/v1/admin/merchants`: what reads take for granted of each. Events of merchants that are not there are counted all the same. */
export const adminMerchants = new Hono<Guarded<Env>>()
  .get("/", async (c) => {
    const page = await readPage(c.req.queries(), {
      filters: ["q"],
      position: z.string(),
      positionOf: ({ id }: Merchant) => id,
      read: async ({ after: afterId, limit }, { q: beginning = "" }) =>
        beginning.length > SEARCH_LENGTH_MAX || !beginning.isWellFormed()
          ? err(invalidSearch)
          : ok(await listMerchants(c.env.DIRECTORY, { afterId, limit, beginning })),
    });
    if (!page.ok) return problemResponse(page.error);
    const { items, next_cursor } = page.value;
    return fresh({ merchants: items.map(presentMerchant), next_cursor } satisfies z.output<typeof merchantsSchema>);
  })
  .get("/:merchant", (c) => showMerchant(c, c.req.param("merchant")))
  .put("/:merchant", async (c) => {
    const id = c.req.param("merchant");
    if (!MERCHANT_ID_PATTERN.test(id)) return problemResponse(invalidId);
    const body = await readJson(c, putMerchantSchema);
    if (!body.ok) return problemResponse(body.error);
    const nowMs = Date.now();
    const put = await putMerchant(c.env.DIRECTORY, { id, ...body.value, createdAt: nowMs });
    return fresh(presentMerchant(put), put.createdAt === nowMs ? 201 : 200);
  });

/** `GET /v1/merchants/:merchant` and the operators' own: one merchant, as the directory has it. */
export async function showMerchant(c: Context<Guarded<Env>>, id: string): Promise<Response> {
  const merchant = await readMerchant(c.env.DIRECTORY, id);
  return merchant === undefined ? problemResponse(noSuchMerchant) : fresh(presentMerchant(merchant));
}

export function presentMerchant({
  id,
  name,
  timezone,
  currency,
  createdAt,
}: Merchant): z.output<typeof merchantSchema> {
  return { id, name, timezone, currency, created_at: new Date(createdAt).toISOString() };
}

/** As long as a name may be. */
const SEARCH_LENGTH_MAX = 200;

const invalidSearch = invalidParameter(
  "q",
  "invalid_parameter",
  `The beginning of an id or a name, of ${SEARCH_LENGTH_MAX} characters at most.`,
);

const noSuchMerchant: Problem = {
  status: 404,
  code: "no_such_merchant",
  title: "The directory has no such merchant",
  detail: "Its events are counted all the same; an operator adds it with PUT /v1/admin/merchants/{id}.",
};

const invalidId: Problem = {
  status: 422,
  code: "invalid_merchant_id",
  title: "That is no merchant's id",
  detail: `${PATH_ID_RULE}.`,
  extensions: { parameter: "merchant" },
};
