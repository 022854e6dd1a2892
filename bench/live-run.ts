import { randomUUID } from "node:crypto";
import { createKey, putMerchants } from "../scripts/directory.ts";
import { isolateHeapBytes } from "../scripts/isolate-heap.ts";
import { freePort } from "../scripts/port.ts";
import { REAL_BUNDLES } from "./bundle.ts";
import { type LiveFigures, measureLive } from "./live-listeners.ts";
import { median, percentile, significant } from "./numbers.ts";
import { post } from "./send.ts";
import { makeStateDir, startBenchSystem } from "./system.ts";

export interface LiveRun {
  readonly listeners: number;
  readonly idleMs: number;
  readonly log: (line: string) => void;
}

const MERCHANT = "live-shop";

/** Starts a system of one shard, and has one merchant listened to there. */
export async function runLive({ listeners, idleMs, log }: LiveRun): Promise<LiveFigures> {
  const failures: string[] = [];
  const nowMs = Date.now();
  const inspectorPort = await freePort();
  const system = await startBenchSystem({
    stateDir: await makeStateDir(),
    bundles: REAL_BUNDLES,
    shards: 1,
    inspectorPort,
    onLog: (message) => failures.push(message),
  });
  try {
    const { runtime, sourceKey, pid } = system;
    await putMerchants(runtime.directory, [{ id: MERCHANT, name: "Shop", timezone: "UTC", currency: "JPY" }], nowMs);
    const key = await createKey(runtime.directory, "merchant", MERCHANT, nowMs);
    const pay = async () => {
      const event = {
        event_id: randomUUID(),
        type: "payment",
        merchant_id: MERCHANT,
        occurred_at: Date.now(),
        amount: 550,
        currency: "JPY",
        payment_method: "card",
      };
      const headers = { Authorization: `Bearer ${sourceKey}`, "Content-Type": "application/json" };
      const answer = await post({ url: `${runtime.ingestUrl}/v1/events`, headers }, Buffer.from(JSON.stringify(event)));
      if (answer.status !== 200) throw new Error(`a payment is answered ${answer.status}: ${answer.text}`);
    };
    await pay();
    const stream = {
      url: `${runtime.apiUrl}/v1/merchants/${MERCHANT}/live`,
      headers: { Authorization: `Bearer ${key}` },
    };
    const isolateBytes = () => isolateHeapBytes(inspectorPort, "tally-api");
    return await measureLive({ listeners, idleMs, stream, pid, isolateBytes, pay, log });
  } catch (error) {
    log(failures.slice(-5).join("\n"));
    throw error;
  } finally {
    await system.stop();
  }
}

/** As they stand in what is printed. */
export function liveResults(figures: LiveFigures): Record<string, number> {
  return {
    live_idle_listeners: figures.listeners,
    live_bytes_per_listener: significant(figures.bytesPerListener),
    live_isolate_bytes_per_listener: significant(figures.isolateBytesPerListener),
    live_idle_cpu_ms_per_second: significant(figures.idleCpuMsPerSecond),
    live_heard_p50_ms: significant(median(figures.heardMs)),
    live_heard_p99_ms: significant(percentile(figures.heardMs, 99)),
  };
}
