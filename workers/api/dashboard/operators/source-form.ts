import { err, ok, type Result } from "../../../../shared/result.ts";

/** Ids as they are typed, with commas or spaces between; none is every merchant. */
export function merchantsOf(text: string): string[] | null {
  const ids = text.split(/[\s,]+/).filter((id) => id !== "");
  return ids.length === 0 ? null : ids;
}

/** What it has to be is the API's to say. */
export function mappingOf(text: string): Result<unknown, "not_json"> {
  if (text.trim() === "") return ok(null);
  try {
    return ok(JSON.parse(text));
  } catch {
    return err("not_json");
  }
}
