import { gunzipSync, gzipSync } from "node:zlib";

/** Fast rather than small: level 6 takes twice the time of level 3 and saves 8 % on event lines. */
const LEVEL = 3;
/** The largest: buffers are sent on less often, which takes a fifteenth off the time. */
const MEM_LEVEL = 9;

export function gzip(data: string | Uint8Array, level = LEVEL): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(gzipSync(data, { level, memLevel: MEM_LEVEL }));
}

/** Unpacks one or several gzip members. Throws on damage, and when more than `bytesMax` come out, without unpacking the rest. */
export function gunzip(data: Uint8Array, bytesMax: number): Uint8Array {
  return gunzipSync(data, { maxOutputLength: bytesMax });
}
