import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Where the pages stand of a system whose ingest answers at this address: in `siteDir`, of all that run from this checkout, or in a copy of them at `copyDir` where their
 * description of the API would name another.
 */
export async function siteWithIngestAt(ingestUrl: string, siteDir: string, copyDir: string): Promise<string> {
  const description = await readFile(join(siteDir, "openapi.json"), "utf8");
  const moved = withIngestAt(ingestUrl, description);
  await rm(copyDir, { recursive: true, force: true });
  if (moved === description) return siteDir;
  await cp(siteDir, copyDir, { recursive: true });
  await writeFile(join(copyDir, "openapi.json"), moved);
  return copyDir;
}

/** The same document, all else as it is: of its servers the variable `ingest` says where that answers. */
function withIngestAt(ingestUrl: string, description: string): string {
  return JSON.stringify(
    JSON.parse(description, (name, value) =>
      name === "variables" && typeof value?.ingest?.default === "string"
        ? { ...value, ingest: { ...value.ingest, default: ingestUrl } }
        : value,
    ),
  );
}
