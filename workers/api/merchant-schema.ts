import { z } from "zod";
import { nextCursorSchema } from "./page.ts";

export const merchantSchema = z
  .object({ id: z.string(), name: z.string(), timezone: z.string(), currency: z.string(), created_at: z.string() })
  .meta({
    id: "Merchant",
    examples: [
      {
        id: "cafe-hoshino",
        name: "Café Hoshino",
        timezone: "Asia/Tokyo",
        currency: "JPY",
        created_at: "2026-11-23T01:02:03.000Z",
      },
    ],
  });

export const merchantsSchema = z.object({ merchants: z.array(merchantSchema), next_cursor: nextCursorSchema });
