import { registerHooks } from "node:module";
import { edited, type SourceEdit } from "./source-edit.ts";
import { MODULE_STAND_INS } from "./stand-ins.ts";

const PROJECT = new URL("../", import.meta.url).href;

/**
 * From now on modules of the project are loaded with these edits made, and stand-ins in the place of the runtime's own. Answers a
 * function that throws unless every edit was made.
 */
export function loadWith(edits: readonly SourceEdit[]): () => void {
  const made = new Set<SourceEdit>();
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const standIn = MODULE_STAND_INS.get(specifier);
      return standIn === undefined ? nextResolve(specifier, context) : nextResolve(standIn, context);
    },
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      const own = edits.filter(({ file }) => url === PROJECT + file);
      if (own.length === 0) return loaded;
      let source = new TextDecoder().decode(bytesOf(loaded.source));
      for (const edit of own) {
        source = edited(source, edit);
        made.add(edit);
      }
      return { ...loaded, source };
    },
  });
  return () => {
    for (const edit of edits) if (!made.has(edit)) throw new Error(`${edit.file} is not part of the simulation`);
  };
}

function bytesOf(source: unknown): Uint8Array {
  if (typeof source === "string") return new TextEncoder().encode(source);
  if (source instanceof Uint8Array) return source;
  throw new Error("a module without a source");
}
