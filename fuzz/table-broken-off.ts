import { z } from "zod";

const lineSchema = z.object({
  message: z.literal("table broken off"),
  request: z.string(),
  /** Whether it may be otherwise a second later: ClickHouse was busy, and nothing is wrong with the Worker. */
  isPassing: z.literal(true),
});

/** The id of the request whose table was broken off for want of time, if a line of the Workers' log says that. */
export function tableBrokenOff(line: string): string | undefined {
  if (!line.startsWith("{") || !line.includes("table broken off")) return undefined;
  return lineSchema.safeParse(JSON.parse(line)).data?.request;
}
