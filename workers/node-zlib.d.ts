/** What the Workers use of `node:zlib`; all of Node's types would clash with the Workers'. */
declare module "node:zlib" {
  export function gzipSync(data: string | Uint8Array, options?: { readonly level?: number }): Uint8Array;
  /** Throws a `RangeError` (ERR_BUFFER_TOO_LARGE) beyond `maxOutputLength`. */
  export function gunzipSync(data: Uint8Array, options?: { readonly maxOutputLength?: number }): Uint8Array;
}
