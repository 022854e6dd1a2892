/** What the simulation uses of `node:sqlite`; all of Node's types would clash with the Workers'. */
declare module "node:sqlite" {
  export class DatabaseSync {
    constructor(path: string);
    exec(sql: string): void;
    prepare(sql: string): { all(...bindings: unknown[]): Record<string, unknown>[] };
  }
}
