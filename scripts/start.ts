import { once } from "node:events";
import { join, relative, resolve } from "node:path";
import { DEMO_EVENTS_PER_SECOND, type DemoKeys, prepareDemo, SHOWN_MERCHANT, startDemo } from "./demo.ts";
import { demoMerchants } from "./demo-merchants.ts";
import { type LocalSystem, startLocalSystem, WORKERS_STATE_DIR } from "./local-system.ts";
import { logToFile } from "./log-file.ts";
import { portTaken } from "./port.ts";
import { type ProgressLine, progressLine } from "./progress-line.ts";
import { WORKERD_PID_FILE } from "./runtime.ts";
import { HELP, parseStartOptions, type StartOptions } from "./start-options.ts";
import { onStopSignals } from "./stop-signals.ts";
import { endLeftoverWorkerd } from "./workerd-process.ts";

/** As in wrangler.toml: Miniflare leaves crons to us. */
const CRON_INTERVAL_MS = 600_000;
const ALERT_CRON_INTERVAL_MS = 60_000;
/** What came too late is counted after this: here nobody sends so much that more of it is worth a minute's wait, and the demo's past is all late. */
const LATE_DELAY_MS = 3_000;
/** Ctrl-C is answered within this, whatever hangs. */
const STOP_TIMEOUT_MS = 10_000;

async function main(): Promise<void> {
  const options = parseStartOptions(process.argv.slice(2));
  if (options === undefined) return void process.stdout.write(HELP);
  if (await endLeftoverWorkerd(join(options.stateDir, WORKERS_STATE_DIR, WORKERD_PID_FILE))) {
    console.log("  … ended the Workers that an earlier start had left running");
  }
  await refuseTakenPorts(options.ports);
  const stop = new AbortController();
  const signals = onStopSignals(["SIGINT", "SIGTERM", "SIGHUP"], () => stop.abort());
  const log = await logToFile(join(options.stateDir, "workers.log"));
  const system = await startLocalSystem({
    stateDir: options.stateDir,
    ...(options.bundleDir === undefined ? {} : { bundleDir: options.bundleDir }),
    ports: options.ports,
    aggregateVars: { LATE_DELAY_MS: String(LATE_DELAY_MS) },
    onLog: log.write,
    onStep: (step) => console.log(`  … ${step}`),
  });
  signals.takeOver();
  const keys = await prepareDemo(system, Date.now());
  if (!stop.signal.aborted) console.log(welcome(system, keys, options));
  const crons = [
    setInterval(() => void fireCron(() => system.runtime.runCron()), CRON_INTERVAL_MS),
    setInterval(() => void fireCron(() => system.runtime.runAlertCron()), ALERT_CRON_INTERVAL_MS),
  ];
  const traffic = options.quiet ? undefined : sendDemo(system, keys.source, options, stop.signal);
  system.clickhouse.exited.then(() => {
    if (!stop.signal.aborted)
      console.error("ClickHouse stopped: history cannot be read or written until the next start.");
  }, console.error);

  if (!stop.signal.aborted) await once(stop.signal, "abort");
  console.log("\nStopping …");
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  for (const cron of crons) clearInterval(cron);
  const sent = await traffic;
  await system.stop();
  await log.close();
  console.log(sent === undefined ? "Stopped." : `Stopped. The demo sent ${grouped(sent)} live events this time.`);
}

/** A run that fails is in the log of the Workers, and repeated by the next. */
async function fireCron(run: () => Promise<void>): Promise<void> {
  await run().catch((error: unknown) => console.error(`A cron did not run: ${String(error)}`));
}

async function refuseTakenPorts(ports: StartOptions["ports"]): Promise<void> {
  const chosen = Object.values(ports).filter((port) => port !== 0);
  if (new Set(chosen).size < chosen.length) throw new Error("ingest, api and ClickHouse need a port each");
  for (const [name, port] of Object.entries(ports)) {
    if (port !== 0 && (await portTaken(port))) {
      throw new Error(`port ${port} is taken; stop what uses it, or choose another with --${name}-port`);
    }
  }
}

/** Sends the demo's past and present until `signal` fires, and says how its past comes on; resolves with the live events sent. */
async function sendDemo(
  system: LocalSystem,
  key: string,
  { stateDir, historyDays }: StartOptions,
  signal: AbortSignal,
): Promise<number> {
  let progress: ProgressLine | undefined;
  const say = (text: string) => (progress === undefined ? console.log(text) : progress.note(text));
  const beganMs = Date.now();
  const demo = await startDemo(system, key, {
    stateDir,
    historyDays,
    signal,
    onProblem: (why) => say(why === undefined ? "Demo payments go on." : `Demo payments wait: ${why}`),
    onHistory: ({ share, counted }) => {
      progress ??= progressLine(process.stdout, Date.now);
      progress.update(share, `the demo's past: ${grouped(counted)} events counted`);
    },
  });
  const outcome = await demo.history;
  progress?.end();
  progress = undefined;
  if (outcome?.reason === "complete" && outcome.events > 0) {
    const seconds = Math.ceil((Date.now() - beganMs) / 1000);
    say(`The demo's past is there: ${grouped(outcome.events)} events, all counted after ${seconds} s.`);
  } else if (outcome?.reason === "failed") {
    say(`The demo's past is not complete: ${outcome.why}. The next start goes on with it.`);
  }
  return (await demo.totals).sent;
}

function welcome({ runtime, clickhouse }: LocalSystem, keys: DemoKeys, { quiet, stateDir }: StartOptions): string {
  const anHour = grouped(Math.round((DEMO_EVENTS_PER_SECOND * 3600) / 100) * 100);
  const traffic = quiet
    ? "no demo payments (--quiet)"
    : `${demoMerchants().length} demo merchants, some ${anHour} payments an hour`;
  const at = (name: string) => nearPath(join(stateDir, name));
  return `
Tally is running: ${traffic}.

  Open the dashboard of Café Hoshino:
  ${runtime.apiUrl}/#key=${keys.manager}

  api           ${runtime.apiUrl}  (reference: ${runtime.apiUrl}/docs)
  ingest        ${runtime.ingestUrl}
  ClickHouse    ${clickhouse.url}  (user ${clickhouse.reader.user}, password in ${at("secrets.json")})
  log           ${at("workers.log")}

  merchant key  ${keys.merchant}  (reads ${SHOWN_MERCHANT}; the link's manages its keys, too)
  operator key  ${keys.operator}  (reads every merchant)
  source key    ${keys.source}  (sends payments)

Send a payment, and read the day so far:
  curl -s ${runtime.ingestUrl}/v1/events -H 'Authorization: Bearer ${keys.source}' -H 'Content-Type: application/json' -d '{"event_id":"'$(date +%s%N)'","type":"payment","merchant_id":"${SHOWN_MERCHANT}","occurred_at":"'$(date -u +%FT%TZ)'","amount":550,"currency":"JPY","payment_method":"card"}'
  curl -s '${runtime.apiUrl}/v1/merchants/${SHOWN_MERCHANT}/metrics?from=today&granularity=1h' -H 'Authorization: Bearer ${keys.merchant}'

Ctrl-C stops everything.
`;
}

/** As short as it can be typed where one is. */
function nearPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? resolve(path) : near;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const sentence = error instanceof Error ? error.message : String(error);
  console.error(`Tally could not start: ${sentence}`);
  process.exit(1);
}
