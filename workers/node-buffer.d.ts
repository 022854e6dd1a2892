/** Of Node's buffers only this: `@types/node` would declare globals that a Worker does not have. */
declare module "node:buffer" {
  export function isUtf8(bytes: Uint8Array): boolean;
}
