/**
 * FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/): tells bytes read back from those written. A single damaged byte never
 * passes, since each step maps different states to different ones; anything else once in 4 billion. No proof against malice.
 */
export function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}

/** The checksum of a row of numbers, and of the bytes beside them if there are any. */
export function rowChecksum(numbers: readonly number[], bytes: Uint8Array = new Uint8Array()): number {
  return (checksum(new Uint8Array(Float64Array.from(numbers).buffer)) ^ checksum(bytes)) >>> 0;
}
