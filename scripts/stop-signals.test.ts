import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const MODULE = new URL("./stop-signals.ts", import.meta.url).href;
/** Says when it is ready and when it is told to stop, and stays until it is told again; another handler would end it at once. */
const PROGRAM = `
import { onStopSignals } from ${JSON.stringify(MODULE)};
const stopping = onStopSignals(["SIGINT", "SIGTERM"], () => console.log("stopping"));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(9));
stopping.takeOver();
setInterval(() => {}, 1_000);
console.log("ready");`;

test.each(["SIGINT", "SIGTERM"] as const)(
  "the first %s stops, whoever else handles it, and the second ends at once with 130",
  async (signal) => {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", PROGRAM], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const said = async () => String((await once(child.stdout, "data"))[0]).trim();
    expect(await said()).toBe("ready");
    child.kill(signal);
    expect(await said()).toBe("stopping");
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([130, null]);
  },
);
