import { z } from "zod";

const delayS = z.number().min(0).optional();

/** Heads of the frames between the Workers and the queues. Times in epoch ms, delays in seconds. */
export const sendingSchema = z.object({ messages: z.array(z.object({ delay_s: delayS })) });
export const deliverySchema = z.object({
  queue: z.string(),
  messages: z.array(z.object({ id: z.string(), sent_at: z.int(), attempts: z.int().min(1) })),
});

/** A consumer's answer to a delivery, as JSON. A message in neither list is retried. */
export const verdictSchema = z.object({
  acked: z.array(z.string()),
  retried: z.array(z.object({ id: z.string(), delay_s: delayS })),
});

export type Sending = z.output<typeof sendingSchema>;
export type DeliveryHead = z.output<typeof deliverySchema>;
export type Verdict = z.output<typeof verdictSchema>;
