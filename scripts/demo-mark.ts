import { readFile, rename, writeFile } from "node:fs/promises";
import { z } from "zod";

const markSchema = z.object({ complete_to: z.int().min(0) });

/** How far the demo's events have been sent and counted, between one start and the next. */
export type DemoMark = {
  /** Epoch milliseconds; `undefined` before the first history is complete. */
  completeToMs: number | undefined;
  save: (completeToMs: number) => Promise<void>;
};

/** The mark that is kept in a file. One that cannot be read counts as none: what is sent again for it is counted once all the same. */
export async function openDemoMark(path: string): Promise<DemoMark> {
  const text = await readFile(path, "utf8").catch(() => "");
  // One after the other: two at a time would write, and move away, the same new file.
  let saved: Promise<unknown> = Promise.resolve();
  const mark: DemoMark = {
    completeToMs: markIn(text),
    save: async (completeToMs) => {
      mark.completeToMs = completeToMs;
      const turn = saved.then(async () => {
        await writeFile(`${path}.new`, `${JSON.stringify({ complete_to: completeToMs })}\n`);
        await rename(`${path}.new`, path);
      });
      saved = turn.catch(() => undefined);
      await turn;
    },
  };
  return mark;
}

function markIn(text: string): number | undefined {
  try {
    return markSchema.parse(JSON.parse(text)).complete_to;
  } catch {
    return undefined;
  }
}
