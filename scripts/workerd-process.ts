import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { sleep } from "./sleep.ts";

const END_POLL_MS = 20;
const END_MS_MAX = 5_000;

/** Has Miniflare start workerd so that its process id stands in `pidFile`, also after Miniflare has started it again. */
export function noteWorkerdIn(pidFile: string): void {
  // The package's main export is the path of the binary for this platform.
  const { default: binary } = createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd") as {
    default: string;
  };
  process.env.TALLY_WORKERD = binary;
  process.env.TALLY_WORKERD_PID_FILE = pidFile;
  process.env.MINIFLARE_WORKERD_PATH = join(import.meta.dirname, "workerd.sh");
}

/** The workerd that runs for a state folder, `undefined` for none. */
export async function findWorkerd(pidFile: string): Promise<number | undefined> {
  const { pid } = await readPidFile(pidFile);
  return Number.isSafeInteger(pid) && pid > 1 && (await isWorkerd(pid)) ? pid : undefined;
}

/** As `workerd.sh` wrote it; not a number where there is none. */
async function readPidFile(pidFile: string): Promise<{ readonly pid: number; readonly parent: number }> {
  const text = await readFile(pidFile, "utf8").catch(() => "");
  const [pid = Number.NaN, parent = Number.NaN] = text.trim().split(" ").map(Number);
  return { pid, parent };
}

/** Ends a workerd that a killed `npm start` left behind, which would hold on to ports and state; answers whether there was one. */
export async function endLeftoverWorkerd(pidFile: string): Promise<boolean> {
  const pid = await findWorkerd(pidFile);
  const { parent } = await readPidFile(pidFile);
  // When a parent dies, its children are given to another process: 1, or a service manager.
  if (pid === undefined || Number(await processField(pid, "ppid")) === parent) return false;
  process.kill(pid, "SIGKILL");
  const endMs = Date.now() + END_MS_MAX;
  while ((await isWorkerd(pid)) && Date.now() < endMs) await sleep(END_POLL_MS);
  return true;
}

async function isWorkerd(pid: number): Promise<boolean> {
  return /workerd/.test(await processField(pid, "comm"));
}

/** From /proc where there is one, since a small Linux has no `ps`. Empty when there is no such process. */
async function processField(pid: number, field: "comm" | "ppid"): Promise<string> {
  if (process.platform === "linux") {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    const label = field === "comm" ? "Name" : "PPid";
    return new RegExp(`^${label}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  }
  const { stdout } = await promisify(execFile)("ps", ["-o", `${field}=`, "-p", String(pid)]).catch(() => ({
    stdout: "",
  }));
  return stdout;
}
