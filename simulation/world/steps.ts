import { addEpoch } from "../../workers/directory/topology.ts";
import { damageRow, type LostRows } from "./damage.ts";
import { readMerchant } from "./reader.ts";
import { type SimulatedObject, SKEW_MS_MAX } from "./simulated-object.ts";
import { sendAll } from "./source.ts";
import { HOUR_MS, MERCHANTS, WINDOW_MS, windowOf } from "./traffic.ts";
import { SERVICES } from "./weather.ts";
import type { World } from "./world.ts";

const MINUTE_MS = 60_000;
const SHARDS_MAX = 9;
/** Of what is damaged, so much is before the next start. */
const FOUND_AT_ONCE = 0.4;

/** How often each thing happens in a run: seeds differ, so that some are all outages and others all late events. */
export interface Mood {
  readonly traffic: number;
  readonly time: number;
  readonly crashes: number;
  readonly clocks: number;
  readonly outages: number;
  readonly farAhead: number;
  readonly growth: number;
  readonly reads: number;
  readonly damage: number;
  readonly lostRows: LostRows;
}

export function moodOf({ chance }: World): Mood {
  const some = (most: number) =>
    chance.weighted([
      [1, 0],
      [2, most / 4],
      [2, most],
    ]);
  return {
    traffic: 30,
    time: 30,
    crashes: some(8),
    clocks: some(4),
    outages: some(3),
    farAhead: chance.is(0.15) ? 1 : 0,
    growth: some(4),
    reads: 4,
    damage: some(3),
    lostRows: chance.is(0.5) ? "gone" : "unreadable",
  };
}

/** One thing happens, and a moment passes. What it sets off may go on long after. */
export async function step(world: World, mood: Mood): Promise<void> {
  const happen = world.chance.weighted<(world: World) => void | Promise<void>>([
    [mood.traffic, send],
    [mood.time, letTimePass],
    [mood.crashes, crash],
    [mood.clocks, turnAClock],
    [mood.clocks / 2, ringUnasked],
    [mood.crashes / 4, fillADisk],
    [mood.outages, breakSomething],
    [mood.farAhead, ringFarAhead],
    [mood.growth, grow],
    [mood.reads, read],
    [mood.damage, (world) => damage(world, mood)],
  ]);
  await happen(world);
  await world.pass(
    world.chance.weighted([
      [6, world.chance.below(200)],
      [2, world.chance.below(5_000)],
      [1, 0],
    ]),
  );
}

/** What goes on by itself, and ends the run when it fails. */
function launch(world: World, work: Promise<unknown>): void {
  work.catch((error: unknown) => world.violate(error instanceof Error ? error : new Error(String(error))));
}

function send(world: World): void {
  const events = world.traffic.request(world.scheduler.nowMs);
  if (events.length > 0) launch(world, sendAll(world, events));
}

async function letTimePass(world: World): Promise<void> {
  const { chance } = world;
  const ms = chance.weighted([
    [6, chance.below(10_000)],
    [6, chance.below(5 * MINUTE_MS)],
    [3, chance.below(40 * MINUTE_MS)],
    [0.3, chance.below(10 * HOUR_MS)],
  ]);
  world.note(`${(ms / 1000).toFixed(1)} s pass`);
  await world.pass(ms);
}

function anyShard(world: World): SimulatedObject | undefined {
  const all = [...world.shards.objects.values()];
  return all.length === 0 ? undefined : world.chance.pick(all);
}

function crash(world: World): void {
  const { chance } = world;
  const shard = anyShard(world);
  if (chance.is(0.6) && shard !== undefined) {
    world.note(`${shard.name} crashes`);
    shard.crash();
  } else {
    world.note(`${chance.pick([world.ingest, world.aggregate, world.api]).crashOne()} crashes`);
  }
}

function turnAClock(world: World): void {
  const { chance } = world;
  // A shard's clock may even go back by minutes: its revisions must not.
  const skewMs = chance.is(0.3) ? -chance.below(3 * MINUTE_MS) : chance.between(-SKEW_MS_MAX, SKEW_MS_MAX);
  if (chance.is(0.7)) anyShard(world)?.turnClock(skewMs);
  else chance.pick([world.ingest, world.aggregate, world.api]).turnClock();
}

function ringUnasked(world: World): void {
  const shard = anyShard(world);
  if (shard !== undefined) launch(world, shard.ringUnasked());
}

function ringFarAhead(world: World): void {
  const shard = anyShard(world);
  if (shard !== undefined) launch(world, shard.ringFarAhead());
}

function fillADisk(world: World): void {
  const shard = anyShard(world);
  if (shard === undefined) return;
  world.note(`${shard.name} has a full disk`);
  shard.storage.isFull = true;
  world.scheduler.after(world.chance.below(MINUTE_MS), () => {
    shard.storage.isFull = false;
  });
}

function damage(world: World, { lostRows }: Mood): void {
  const shard = anyShard(world);
  if (shard === undefined) return;
  const what = damageRow(shard.storage, world.chance, lostRows, (what, change) => {
    world.scheduler.after(world.chance.below(HOUR_MS), () => {
      if (!world.weather.isCalm && change()) world.note(`${shard.name}: ${what}`);
    });
  });
  if (what !== undefined) world.note(`${shard.name}: ${what}`);
  // It is found out by a start at the latest, as long as nothing has been written over it.
  if (world.chance.is(FOUND_AT_ONCE)) shard.crash();
}

function breakSomething(world: World): void {
  const { chance } = world;
  const service = chance.pick(SERVICES);
  const ms = chance.weighted([
    [3, chance.below(20_000)],
    [2, chance.below(10 * MINUTE_MS)],
    [1, chance.below(2 * HOUR_MS)],
  ]);
  world.note(`${service} is away for ${Math.ceil(ms / 1000)} s`);
  world.weather.breakDown(service, ms);
}

/** An operator adds an epoch: more shards, fewer, or a merchant by itself. Mostly as soon as that may be. */
function grow(world: World): void {
  const { chance, api, scheduler, note } = world;
  const { machine, env } = api.any();
  const shards = chance.between(1, SHARDS_MAX);
  const overrides = chance.is(0.3) ? { [chance.pick(MERCHANTS)]: chance.below(2 * shards) } : {};
  const add = async (from_ms: number) => await addEpoch(env.DIRECTORY, { from_ms, shards, overrides }, Date.now());
  const added = machine.run(async () => {
    const asked = await add(windowOf(scheduler.nowMs) + chance.below(4) * WINDOW_MS);
    return asked.ok || asked.error.reason !== "too_soon" ? asked : await add(asked.error.earliestMs);
  });
  const told = added.then(
    (answer) => JSON.stringify(answer),
    (error: unknown) => String(error),
  );
  launch(
    world,
    told.then((answer) => note(`${machine.name}: an epoch of ${shards} shards: ${answer.slice(0, 120)}`)),
  );
}

function read(world: World): void {
  const { chance, scheduler } = world;
  const sinceMs = chance.is(0.3) ? 0 : scheduler.nowMs - chance.below(6 * HOUR_MS);
  launch(world, readMerchant(world, chance.pick(MERCHANTS), sinceMs));
}
