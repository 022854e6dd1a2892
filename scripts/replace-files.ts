import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Moves the files of a folder to another on the same disk, each in one piece and only where it is not the same already; what is only in the other stays. Whoever
 * reads there meanwhile finds every file, as it was or as it is.
 */
export async function moveFiles(from: string, to: string): Promise<void> {
  for (const name of await filesIn(from)) {
    const [made, known] = await Promise.all([
      readFile(join(from, name)),
      readFile(join(to, name)).catch(() => undefined),
    ]);
    if (known?.equals(made) === true) continue;
    await mkdir(dirname(join(to, name)), { recursive: true });
    await rename(join(from, name), join(to, name));
  }
}

/** Removes the files of a folder that are not among those named, by their paths in it. */
export async function removeOthers(dir: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of await filesIn(dir)) if (!names.has(name)) await rm(join(dir, name), { force: true });
}

/** Paths in a folder, of all files below it; none where there is no such folder. */
export async function filesIn(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1));
}
