import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";
import { z } from "zod";
import { WRANGLER_CONFIG } from "../scripts/build.ts";
import { findWorkerd, noteWorkerdIn } from "../scripts/workerd-process.ts";
import { BENCH_WORKERS_DIR, bundleEntries } from "./bundle.ts";

/** A workerd with nothing in it but one of the `workers/` that do as little as can be done. */
export interface Floor {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The same runtime, with the same compatibility, as ingest has. */
const settingsSchema = z.object({ compatibilityDate: z.string(), compatibilityFlags: z.array(z.string()) });

export async function startFloor(stateDir: string, name: "floor" | "hello" = "floor"): Promise<Floor> {
  const bundleDir = join(stateDir, name);
  await mkdir(bundleDir, { recursive: true });
  await bundleEntries(bundleDir, [{ worker: "ingest", entry: join(BENCH_WORKERS_DIR, `${name}.ts`) }]);
  const pidFile = join(stateDir, `${name}.pid`);
  noteWorkerdIn(pidFile);
  const settings = settingsSchema.parse(unstable_getMiniflareWorkerOptions(WRANGLER_CONFIG, "ingest").workerOptions);
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      workers: [
        {
          name,
          ...settings,
          modulesRoot: join(bundleDir, "ingest"),
          modules: [{ type: "ESModule" as const, path: join(bundleDir, "ingest", "index.js") }],
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
    log: new Log(LogLevel.ERROR),
  });
  await miniflare.ready;
  const pid = await findWorkerd(pidFile);
  if (pid === undefined) throw new Error("the floor's workerd is not there");
  return { url: (await miniflare.unsafeGetDirectURL(name)).origin, pid, stop: () => miniflare.dispose() };
}
