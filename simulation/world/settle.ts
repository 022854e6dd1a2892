import { fromRow } from "../../shared/window-row.ts";
import { JOURNAL_SLOTS } from "../narrow-limits.ts";
import { readMerchant } from "./reader.ts";
import type { ReportedWindow } from "./reported-window.ts";
import type { SimulatedObject } from "./simulated-object.ts";
import { DAY_MS, HOUR_MS, keyOf, MERCHANTS, type Sent } from "./traffic.ts";
import type { World } from "./world.ts";

const MINUTE_MS = 60_000;
/** Longest of what may still be waited for: a window to close, a retry, an emission to be given up and sent again. */
const SETTLING_MS = 3 * HOUR_MS;
/** What a shard keeps past a window's end, the horizon and a margin. */
const RETAINING_MS = DAY_MS + HOUR_MS;
/** Alarms of one shard in that time: some for each window and day, never one after another without end. */
const RINGS_MAX = 2_000;
const WAKES_MAX = 10;
const WAKE_AGAIN_MS = 1_000;

/**
 * Everything works again. Everything that was acknowledged must then be counted, in the archive and in history, shards and history must
 * agree, and in the end no shard may have anything left to do or to keep.
 */
export async function settle(world: World): Promise<void> {
  world.note("everything works again");
  world.weather.calmDown();
  for (const shard of world.shards.objects.values()) {
    shard.storage.isFull = false;
    wake(world, shard).catch(world.violate);
  }
  await world.pass(SETTLING_MS);
  await redrive(world);
  checkQueues(world);
  checkRebuilt(world);
  const counted = await checkReads(world);
  world.model.checkComplete(counted, lateWindowsOf(world), world.furthestMs);
  checkArchive(world);
  checkHistory(world, counted);
  const ringsBefore = [...world.shards.objects.values()].map(({ rings }) => rings);
  await world.pass(RETAINING_MS + 2 * DAY_MS);
  [...world.shards.objects.values()].forEach((shard, i) => {
    const rings = shard.rings - (ringsBefore[i] ?? 0);
    if (rings > RINGS_MAX) throw new Error(`${shard.name} rang ${rings} times with nothing to do`);
  });
  checkQueues(world);
  checkEmptied(world);
  checkHistory(world, counted);
}

/** What must hold at any moment of what a shard keeps. */
export function checkStorage(world: World): void {
  for (const shard of world.shards.objects.values()) {
    const rows = shard.storage.rows().get("journal") ?? 0;
    if (rows > JOURNAL_SLOTS) throw new Error(`${shard.name} has ${rows} rows in its journal`);
  }
}

/** What died in the log is kept: an operator sends it again. */
async function redrive(world: World): Promise<void> {
  const dead = world.directory.query("SELECT body_key FROM dead_letters WHERE queue = 'tally-raw'");
  if (dead.length === 0) return;
  for (const { body_key } of dead) {
    const body = world.archive.bytes(String(body_key));
    if (body === undefined) throw new Error(`the body of dead letter ${String(body_key)} is nowhere`);
    world.queues.get("tally-raw")?.put([body], 0);
  }
  await world.pass(SETTLING_MS);
}

function checkQueues(world: World): void {
  for (const [name, queue] of world.queues) if (!queue.isEmpty) throw new Error(`something is stuck in ${name}`);
}

/**
 * One that has not run since it was damaged finds it out when it starts, and not from the reads that are to be answered. One that rings on a machine
 * far ahead takes no calls until it has moved away.
 */
async function wake(world: World, shard: SimulatedObject): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await shard.call("status", []);
      return;
    } catch (error) {
      if (tries === WAKES_MAX) throw error;
      await world.scheduler.sleep(WAKE_AGAIN_MS);
    }
  }
}

/** Whatever was damaged, and found out, is rebuilt by now. */
function checkRebuilt(world: World): void {
  for (const shard of world.shards.objects.values()) {
    const rows = shard.storage.rows().get("damaged") ?? 0;
    if (rows > 0 || world.doubts.has(shard.name)) throw new Error(`${shard.name} has ${rows} damaged windows still`);
  }
}

async function checkReads(world: World): Promise<Set<Sent>> {
  const counted = new Set<Sent>();
  const stored = revisionsStored(world);
  for (const merchant of MERCHANTS) {
    const reading = readMerchant(world, merchant);
    reading.catch(() => {}); // It is awaited below, when time has passed for it.
    await world.pass(MINUTE_MS);
    const done = await reading;
    if (done === undefined) throw new Error(`${merchant} cannot be read though everything works`);
    for (const event of done.counted) counted.add(event);
    checkRevisions(done.windows, stored);
  }
  return counted;
}

/** Every window has closed by now: what shards say of it is what they last sent, under the same revision. */
function checkRevisions(served: readonly ReportedWindow[], stored: ReadonlyMap<string, number>): void {
  for (const { merchantId, currency, startMs, revision } of served) {
    const key = keyOf(merchantId, currency, startMs);
    const is = stored.get(key);
    if (is !== revision) throw new Error(`history has revision ${is} of ${key}, it is served as ${revision}`);
  }
}

function revisionsStored(world: World): Map<string, number> {
  return new Map(
    historyOf(world).map((window) => [keyOf(window.merchantId, window.currency, window.startMs), window.revision]),
  );
}

function checkHistory(world: World, counted: ReadonlySet<Sent>): void {
  const { model } = world;
  // A merchant's window that is nothing any more once it is rebuilt stays in history as it was.
  const known = [...counted].filter((event) => !model.isDisturbed(event));
  const stored = [...model.observe(historyOf(world), known, world.furthestMs)].filter(
    (event) => !model.isDisturbed(event),
  );
  if (stored.length !== known.length) throw new Error(`history counts ${stored.length} events, reads ${known.length}`);
}

function historyOf(world: World): ReportedWindow[] {
  return [...world.history.rows()].map((row) => fromRow(row));
}

function lateWindowsOf(world: World): Set<string> {
  const rows = world.directory.query("SELECT merchant_id, window_start FROM late_windows");
  return new Set(rows.map(({ merchant_id, window_start }) => `${String(merchant_id)} ${Number(window_start)}`));
}

function checkArchive(world: World): void {
  const archived = new Set<string>();
  for (const key of world.archive.keys("raw/v1/")) {
    const hour = key.slice("raw/v1/".length, "raw/v1/2031/03/05/12".length).replaceAll("/", "-");
    for (const { merchant_id, event_id, occurred_at, amount } of world.archive.lines(key)) {
      archived.add([hour, merchant_id, event_id, occurred_at, amount].join(" "));
    }
  }
  for (const { token, body } of world.model.acknowledged()) {
    const hour = new Date(body.occurred_at).toISOString().slice(0, 13).replace("T", "-");
    const line = [hour, body.merchant_id, body.event_id, body.occurred_at, body.amount].join(" ");
    if (!archived.has(line)) throw new Error(`${token} was acknowledged and is not in the archive`);
  }
}

/** Everything is final and in history: shards keep nothing of any window, and no batch. */
function checkEmptied(world: World): void {
  for (const shard of world.shards.objects.values()) {
    if (shard.storage.alarmMs !== null) throw new Error(`${shard.name} has an alarm set with nothing to do`);
    for (const [table, rows] of shard.storage.rows()) {
      if (rows > 0 && table !== "checkpoint") {
        throw new Error(`${shard.name} keeps ${rows} rows in ${table}`);
      }
    }
  }
}
