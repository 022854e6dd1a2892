/** What the Workers use of `node:zlib` and `node:stream`; all of Node's types would clash with the Workers'. */
declare module "node:zlib" {
  export function gzipSync(
    data: string | Uint8Array,
    options?: { readonly level?: number; readonly memLevel?: number },
  ): Uint8Array;
  /** Throws a `RangeError` (ERR_BUFFER_TOO_LARGE) beyond `maxOutputLength`. */
  export function gunzipSync(data: Uint8Array, options?: { readonly maxOutputLength?: number }): Uint8Array;
  /** A stream that unpacks one or several members. */
  export function createGunzip(): object;
}

declare module "node:stream" {
  export class Readable implements AsyncIterable<Uint8Array> {
    static from(chunks: Iterable<Uint8Array>): Readable;
    /** Answers the destination, of which only the reading half is used here. */
    pipe(destination: object): Readable;
    [Symbol.asyncIterator](): AsyncIterator<Uint8Array>;
  }
}
