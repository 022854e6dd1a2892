import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_DIR } from "./build.ts";
import { type DemoMerchant, demoMerchants, startDemoTraffic } from "./demo-traffic.ts";
import { putDerivedKey, putMerchants, putSource } from "./directory.ts";
import { type LocalSystem, startLocalSystem, WORKERS_STATE_DIR } from "./local-system.ts";
import { logToFile } from "./log-file.ts";
import { portTaken } from "./port.ts";
import { WORKERD_PID_FILE } from "./runtime.ts";
import { endLeftoverWorkerd } from "./workerd-process.ts";

const HELP = `Starts Tally on this machine: a real ClickHouse, the three Workers in workerd, demo merchants and live payments.

  npm start [-- OPTIONS]

  --quiet            no demo payments (the demo merchants and keys are there all the same)
  --state DIR        where everything is kept between starts (default .tally)
  --ingest-port N    default 8787
  --api-port N       default 8788
  --clickhouse-port N  default 8123
  --help             this text

Ctrl-C stops all of it. To start afresh, remove the state folder.
`;

const DEMO_SOURCE = "demo-app";
/** Merchant of the examples: a busy one. */
const SHOWN_MERCHANT = "cafe-hoshino";
/** The demo begins with what was sold in the last hours, so that there is something to see at once. */
const DEMO_PAST_MS = 3 * 3_600_000;
const DEMO_EVENTS_PER_SECOND = 10;
/** As in wrangler.toml: Miniflare leaves crons to us. */
const CRON_INTERVAL_MS = 600_000;
/** Ctrl-C is answered within this, whatever hangs. */
const STOP_TIMEOUT_MS = 10_000;
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

interface Options {
  readonly quiet: boolean;
  readonly stateDir: string;
  readonly ports: { readonly ingest: number; readonly api: number; readonly clickhouse: number };
}

interface Keys {
  readonly source: string;
  readonly merchant: string;
  readonly operator: string;
}

async function main(): Promise<void> {
  const options = parseOptions();
  if (await endLeftoverWorkerd(join(options.stateDir, WORKERS_STATE_DIR, WORKERD_PID_FILE))) {
    console.log("  … ended the Workers that an earlier start had left running");
  }
  await refuseTakenPorts(options.ports);
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  const log = await logToFile(join(options.stateDir, "workers.log"));
  const system = await startLocalSystem({
    stateDir: options.stateDir,
    ports: options.ports,
    onLog: log.write,
    onStep: (step) => console.log(`  … ${step}`),
  });
  obeyOnly(onSignal);
  const merchants = demoMerchants();
  const keys = await prepareDemo(system, merchants);
  if (!stop.signal.aborted) console.log(welcome(system, keys, options, merchants.length));
  const crons = setInterval(() => void fireCron(system), CRON_INTERVAL_MS);
  const traffic = options.quiet ? undefined : sendDemo(system, keys.source, merchants, stop.signal);
  system.clickhouse.exited.then(() => {
    if (!stop.signal.aborted)
      console.error("ClickHouse stopped: history cannot be read or written until the next start.");
  }, console.error);

  if (!stop.signal.aborted) await once(stop.signal, "abort");
  console.log("\nStopping …");
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  clearInterval(crons);
  const totals = await traffic;
  await system.stop();
  await log.close();
  console.log(totals === undefined ? "Stopped." : `Stopped. The demo sent ${totals.sent} events this time.`);
}

/** A run that fails is in the log of the Workers, and repeated by the next. */
async function fireCron({ runtime }: LocalSystem): Promise<void> {
  await runtime.runCron().catch((error: unknown) => console.error(`A cron did not run: ${String(error)}`));
}

/** Takes other handlers off: Miniflare's would end the process at once, with ClickHouse still writing. */
function obeyOnly(onSignal: () => void): void {
  for (const signal of STOP_SIGNALS) {
    for (const other of process.listeners(signal)) if (other !== onSignal) process.removeListener(signal, other);
  }
}

function parseOptions(): Options {
  const { values } = parseArgs({
    options: {
      quiet: { type: "boolean", default: false },
      state: { type: "string", default: join(PROJECT_DIR, ".tally") },
      "ingest-port": { type: "string", default: "8787" },
      "api-port": { type: "string", default: "8788" },
      "clickhouse-port": { type: "string", default: "8123" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  return {
    quiet: values.quiet,
    stateDir: values.state,
    ports: {
      ingest: parsePort("ingest-port", values["ingest-port"]),
      api: parsePort("api-port", values["api-port"]),
      clickhouse: parsePort("clickhouse-port", values["clickhouse-port"]),
    },
  };
}

function parsePort(name: string, text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--${name} is a port, 0 to 65535, not ${text}`);
  return port;
}

async function refuseTakenPorts(ports: Options["ports"]): Promise<void> {
  const chosen = Object.values(ports).filter((port) => port !== 0);
  if (new Set(chosen).size < chosen.length) throw new Error("ingest, api and ClickHouse need a port each");
  for (const [name, port] of Object.entries(ports)) {
    if (port !== 0 && (await portTaken(port))) {
      throw new Error(`port ${port} is taken; stop what uses it, or choose another with --${name}-port`);
    }
  }
}

async function prepareDemo({ runtime, secrets }: LocalSystem, merchants: readonly DemoMerchant[]): Promise<Keys> {
  const { directory } = runtime;
  const nowMs = Date.now();
  const rows = merchants.map(({ merchant_id, name, timezone, currency }) => ({
    id: merchant_id,
    name,
    timezone,
    currency,
  }));
  await putMerchants(directory, rows, nowMs);
  await putSource(directory, { id: DEMO_SOURCE, name: "Demo payment app", merchants: null }, nowMs);
  const key = (kind: "source" | "merchant" | "operator", subject: string) =>
    putDerivedKey(directory, kind, subject, secrets.demoSecret, nowMs);
  return {
    source: await key("source", DEMO_SOURCE),
    merchant: await key("merchant", SHOWN_MERCHANT),
    operator: await key("operator", "demo-operator"),
  };
}

function sendDemo({ runtime }: LocalSystem, key: string, merchants: readonly DemoMerchant[], signal: AbortSignal) {
  return startDemoTraffic({
    url: runtime.ingestUrl,
    key,
    merchants,
    eventsPerSecond: DEMO_EVENTS_PER_SECOND,
    nowMs: Date.now,
    sinceMs: Date.now() - DEMO_PAST_MS,
    signal,
    onProblem: (why) => console.error(why === undefined ? "Demo payments go on." : `Demo payments wait: ${why}`),
  });
}

function welcome(
  { runtime, clickhouse }: LocalSystem,
  keys: Keys,
  { quiet, stateDir }: Options,
  merchants: number,
): string {
  const traffic = quiet
    ? "no demo payments (--quiet)"
    : `${merchants} demo merchants, about ${DEMO_EVENTS_PER_SECOND} payments a second`;
  return `
Tally is running: ${traffic}.

  ingest      ${runtime.ingestUrl}
  api         ${runtime.apiUrl}
  ClickHouse  ${clickhouse.url}  (user ${clickhouse.reader.user}; its password is in ${join(stateDir, "secrets.json")})
  log         ${join(stateDir, "workers.log")}

  source key    ${keys.source}
  merchant key  ${keys.merchant}  (reads ${SHOWN_MERCHANT})
  operator key  ${keys.operator}  (reads every merchant)

Send a payment, and see what became of it:
  curl -s ${runtime.ingestUrl}/v1/events -H 'Authorization: Bearer ${keys.source}' -H 'Content-Type: application/json' -d '{"event_id":"'$(date +%s%N)'","type":"payment","merchant_id":"${SHOWN_MERCHANT}","occurred_at":"'$(date -u +%FT%TZ)'","amount":550,"currency":"JPY","payment_method":"card"}'

The merchant's day so far, hour by hour:
  curl -s '${runtime.apiUrl}/v1/merchants/${SHOWN_MERCHANT}/metrics?from=today&granularity=1h' -H 'Authorization: Bearer ${keys.merchant}'

The latest closed ten-minute window:
  curl -s ${runtime.apiUrl}/v1/merchants/${SHOWN_MERCHANT}/report -H 'Authorization: Bearer ${keys.merchant}'

Ctrl-C stops everything.
`;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const sentence = error instanceof Error ? error.message : String(error);
  console.error(`Tally could not start: ${sentence}`);
  process.exit(1);
}
