import type { ZodOpenApiPathsObject } from "zod-openapi";
import { noticeSchema } from "../alerts/notice.ts";

const header = (description: string, example: string) => ({
  in: "header" as const,
  required: true,
  description,
  schema: { type: "string" as const },
  example,
});

/** What Tally calls, signed by the Standard Webhooks specification (docs/alerts.md). */
export const WEBHOOKS: ZodOpenApiPathsObject = {
  alert: {
    post: {
      operationId: "alertNotice",
      tags: ["Alerts"],
      summary: "An alert fires, still fires, or is resolved",
      description:
        "Verify `webhook-signature` with the alert's secret before anything else, and answer 2xx within ten seconds. A notice may come twice, and later than the next one: `webhook-id` names it, `data.incident` what it belongs to. What is not answered with 2xx is tried again for about a day.",
      security: [],
      parameters: [
        {
          name: "webhook-id",
          ...header("Names the notice; the same with every attempt.", "msg_0f3a9c2b7d1e4856-mi8x2k1p-fired"),
        },
        { name: "webhook-timestamp", ...header("Of the attempt, in seconds.", "1795395604") },
        {
          name: "webhook-signature",
          ...header(
            "`v1,` and base64 of HMAC-SHA256 of id, timestamp and body; several around a rotation.",
            "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
          ),
        },
      ],
      requestBody: { required: true, content: { "application/json": { schema: noticeSchema } } },
      responses: { "2XX": { description: "It is noted. The body is not read." } },
    },
  },
};
