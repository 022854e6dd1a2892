import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PLANTS } from "./plants.ts";
import type { SimulateReport } from "./simulate-report.ts";

const SIMULATE = join(import.meta.dirname, "simulate.ts");
const RUN_MS_MAX = 900_000;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

async function simulate(...args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [SIMULATE, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const chunks = { out: "", errors: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    chunks.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    chunks.errors += text;
  });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on("close", resolve);
  return { code: await promise, ...chunks };
}

async function report(...args: readonly string[]): Promise<SimulateReport> {
  const { out, errors } = await simulate(...args, "--json");
  if (out === "") throw new Error(errors);
  return JSON.parse(out);
}

test(
  "whatever is lost, repeated, reordered or crashes, every acknowledged event is counted once, and stands in archive and history",
  async () => {
    const { failures, passed } = await report("--seeds", "50", "--steps", "500");
    expect(failures).toEqual([]);
    expect(passed).toBe(50);
  },
  RUN_MS_MAX,
);

test(
  "the same seed gives the same run, in whatever process and after whatever other one",
  async () => {
    const together = await report("--seeds", "4", "--steps", "120", "--processes", "1");
    const apart = await report("--seeds", "4", "--steps", "120", "--processes", "4");
    expect(apart.digest).toBe(together.digest);
    const others = await report("--seed", "5", "--seeds", "4", "--steps", "120");
    expect(others.digest).not.toBe(together.digest);
  },
  RUN_MS_MAX,
);

describe("a bug that is planted is found", () => {
  test.each(PLANTS.map(({ name }) => name))(
    "%s",
    async (plant) => {
      const { failures } = await report("--seeds", "500", "--steps", "40", "--plant", plant, "--no-shrink");
      expect(failures).not.toEqual([]);
    },
    RUN_MS_MAX,
  );

  test(
    "and printed with its seed, its shortest prefix, the trace, and the command that repeats it",
    async () => {
      const args = ["--seeds", "20", "--steps", "60", "--processes", "1", "--plant", "fingerprint-per-batch"];
      const first = await simulate(...args);
      expect(first.code).toBe(1);
      const [, seed, steps] = /^seed (\d+) fails after (\d+) steps: /.exec(first.out) ?? [];
      expect(first.out).toMatch(/ {2}05T\d\d:\d\d:\d\d\.\d{3} .*ingest-\d/);
      const again = ["--seed", seed, "--seeds", "1", "--steps", steps, "--plant", "fingerprint-per-batch"].map(String);
      expect(first.out).toContain(`again: npm run simulate -- ${again.join(" ")}\n`);
      const [told] = first.out.split("\n");
      expect((await simulate(...again)).out.split("\n")[0]).toBe(told);
      const shorter = await report(
        "--seed",
        String(seed),
        "--seeds",
        "1",
        "--steps",
        String(Number(steps) - 1),
        ...again.slice(-2),
      );
      expect(shorter.failures).toEqual([]);
    },
    RUN_MS_MAX,
  );
});

test("what is asked wrongly is told, and nothing is run", async () => {
  const { code, errors } = await simulate("--seeds", "many");
  expect(code).toBe(2);
  expect(errors).toMatch(/^--seeds many: a whole number/);
  expect((await simulate("--plant", "weeds")).errors).toContain("fingerprint-per-batch");
});
