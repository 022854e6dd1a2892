import { z } from "zod";
import { err, ok, type Result, unreachable } from "../../shared/result.ts";
import { type TopologyEpoch, topologyEpochSchema } from "../../shared/topology.ts";
import type { EpochFault } from "../../shared/topology-plan.ts";
import { addEpoch, readTopology } from "../directory/topology.ts";
import type { Problem } from "../http/problem.ts";
import type { epochsSchema } from "./operate-schema.ts";
import { readPage } from "./page.ts";

/** The body of `POST /v1/admin/topology`. */
export const epochRequestSchema = z.object({
  from: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  shards: topologyEpochSchema.shape.shards,
  overrides: topologyEpochSchema.shape.overrides.default({}),
});

/** A page of the epochs, the oldest first. There are few enough of them to be read as a whole, as every isolate does. */
export async function listEpochs(
  directory: D1Database,
  given: Readonly<Record<string, string[]>>,
): Promise<Result<z.output<typeof epochsSchema>, Problem>> {
  const page = await readPage(given, {
    position: z.int(),
    positionOf: ({ id }: TopologyEpoch) => id,
    read: async ({ after = 0, limit }) => {
      const { epochs } = await readTopology(directory);
      return ok(epochs.filter(({ id }) => id > after).slice(0, limit));
    },
  });
  if (!page.ok) return page;
  const { items, next_cursor } = page.value;
  return ok({ epochs: items.map(presentEpoch), next_cursor });
}

/** Adds an epoch of the topology; refuses what could send a window's events to two shards. */
export async function createEpoch(
  directory: D1Database,
  body: unknown,
  nowMs: number,
): Promise<Result<object, Problem>> {
  const request = epochRequestSchema.safeParse(body);
  if (!request.success) return err(refusal("invalid_body", z.prettifyError(request.error)));
  const { from, shards, overrides } = request.data;
  const added = await addEpoch(directory, { from_ms: from, shards, overrides }, nowMs);
  return added.ok ? ok(presentEpoch(added.value)) : err(explain(added.error));
}

function presentEpoch({ id, from_ms, shards, overrides }: TopologyEpoch) {
  return { id, from: new Date(from_ms).toISOString(), shards, overrides };
}

function explain(fault: EpochFault | { readonly reason: "changed_meanwhile" }): Problem {
  switch (fault.reason) {
    case "not_on_a_window":
      return refusal(fault.reason, "from must be the start of a ten-minute window.");
    case "too_soon":
      return refusal(
        fault.reason,
        `from must lie far enough ahead for every isolate to know of it: ${new Date(fault.earliestMs).toISOString()} at the earliest.`,
      );
    case "before_the_last":
      return refusal(fault.reason, `from must come after the last epoch's, ${new Date(fault.lastMs).toISOString()}.`);
    case "override_out_of_range":
      return refusal(
        fault.reason,
        `The shard of ${fault.merchant} must be below ${2 * fault.shards}: the ${fault.shards} shards, and as many again for merchants with one of their own.`,
      );
    case "too_many_epochs":
      return refusal(fault.reason, `A topology has ${fault.epochsMax} epochs at most.`);
    case "changed_meanwhile":
      return {
        ...refusal(fault.reason, "Somebody else added an epoch at the same time; look at the list."),
        status: 409,
      };
    default:
      return unreachable(fault);
  }
}

function refusal(code: string, detail: string): Problem {
  return { status: 422, code, title: "The topology was not changed", detail };
}
