import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { refreshed } from "./capacity/doc.ts";

/** Writes the command's figures into docs/capacity.md anew: to be run when a default, a price or the arithmetic has changed. */
const PATH = join(import.meta.dirname, "../docs/capacity.md");
await writeFile(PATH, refreshed(await readFile(PATH, "utf8")));
