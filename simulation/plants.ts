import type { SourceEdit } from "./source-edit.ts";

/** A bug to be planted: what must be changed for it. */
export interface Plant {
  readonly name: string;
  readonly edits: readonly SourceEdit[];
}

/** Damage that is found at once, in every seed: what is wrong with it shows in few. */
const MUCH_DAMAGE: readonly SourceEdit[] = [
  { file: "simulation/world/steps.ts", find: "damage: some(3)", replace: "damage: 12" },
  { file: "simulation/world/steps.ts", find: "FOUND_AT_ONCE = 0.4", replace: "FOUND_AT_ONCE = 1" },
];

/** Bugs that a system like this may well have. The simulator must find each of them, or it would not find their like. */
export const PLANTS: readonly Plant[] = [
  {
    name: "ack-before-queue",
    edits: [
      {
        file: "workers/ingest/index.ts",
        find: "await sendAll(",
        replace: "((...sent: Parameters<typeof sendAll>) => void sendAll(...sent).catch(() => {}))(",
      },
    ],
  },
  {
    name: "sent-before-sending",
    edits: [
      {
        file: "workers/aggregate/shard.ts",
        find: "beginEmission(this.#emissions, emission, Date.now());",
        replace: `beginEmission(this.#emissions, emission, Date.now());
          for (const { slice, revision } of emission.slices) {
            slice.emittedRevision = revision;
            slice.dirtySinceMs = undefined;
          }`,
      },
    ],
  },
  {
    name: "fingerprint-per-batch",
    edits: [
      {
        file: "shared/accept-scanned.ts",
        find: "batch.words[words + ID_LO] = id.lo;",
        replace: "batch.words[words + ID_LO] = (id.lo + bytes.length) >>> 0;",
      },
    ],
  },
  {
    name: "revision-goes-back",
    edits: [
      {
        file: "workers/aggregate/engine.ts",
        find: "return Math.max(nowMs, state.atMs + 1);",
        replace: "return nowMs;",
      },
      { file: "workers/aggregate/engine.ts", find: "if (atMs <= state.atMs) throw", replace: "if (atMs < 0) throw" },
      { file: "simulation/world/steps.ts", find: "clocks: some(4)", replace: "clocks: 8" },
    ],
  },
  {
    name: "journal-cut-early",
    edits: [
      {
        file: "workers/aggregate/journal.ts",
        find: "for (const slice of changed) stored.set(slice, this.pages.write(slice));",
        replace: `for (const slice of changed) stored.set(slice, slice.ids);
          setTimeout(() => { try { for (const slice of changed) this.pages.write(slice); } catch {} }, 50);`,
      },
    ],
  },
  {
    name: "sealed-and-forgotten",
    edits: [
      {
        file: "workers/aggregate/identities.ts",
        find: "return known !== undefined || this.runs.length === 0 ? known : this.#sealed(",
        replace: "return known !== undefined || this.runs.length >= 0 ? known : this.#sealed(",
      },
    ],
  },
  {
    name: "acknowledged-in-part",
    edits: [
      {
        file: "workers/aggregate/raw-consumer.ts",
        find: "if (answered === sent[at]) acknowledge(message, queue);",
        replace: "if (answered > 0 || answered === sent[at]) acknowledge(message, queue);",
      },
    ],
  },
  {
    name: "page-not-checked",
    edits: [
      ...MUCH_DAMAGE,
      {
        file: "workers/aggregate/page.ts",
        find: "if (prefix.getUint32(0, true) !== checksum(bytes.subarray(4)))",
        replace: "if (prefix.getUint32(0, true) === -1)",
      },
    ],
  },
  {
    name: "batch-not-checked",
    edits: [
      ...MUCH_DAMAGE,
      {
        file: "workers/aggregate/journal.ts",
        find: "return parsed.data.batch_sum === rowChecksum([seq], bytes)",
        replace: "return parsed.data.batch_sum >= 0",
      },
    ],
  },
  {
    name: "rebuilt-under-an-old-revision",
    edits: [
      ...MUCH_DAMAGE,
      {
        file: "workers/aggregate/recount.ts",
        find: "revision: nextAtMs(state, nowMs),",
        replace: "revision: Math.max(1, ...starts) + 0 * nextAtMs(state, nowMs),",
      },
    ],
  },
  {
    name: "epoch-at-once",
    edits: [
      {
        file: "shared/topology-plan.ts",
        find: "EPOCH_LEAD_MS = TOPOLOGY_TTL_MS + AHEAD_MAX_MS + CLOCK_SKEW_MS",
        replace: "EPOCH_LEAD_MS = 0",
      },
    ],
  },
];
