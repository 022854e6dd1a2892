/**
 * Who may call what: the one place. A route that stands in a router and not here is answered by nobody (`admit`), and fails
 * `table.workerd.test.ts`.
 */

/**
 * - `anyone`: no key is asked for.
 * - `source`: a source's key.
 * - `merchant`: a key or session of the merchant in the path, or an operator's.
 * - `manager`: the same, but of the merchant's only those that manage its keys and alerts.
 * - `reader`: a key or session of any merchant, or an operator's.
 * - `session`: a session alone.
 * - `operator`: an operator's key or session.
 */
export type Who = "anyone" | "source" | "merchant" | "manager" | "reader" | "session" | "operator";

export interface Access {
  readonly who: Who;
  /** Whether calls stand in the log of administration, refused ones too. */
  readonly isLogged: boolean;
}

/** By method and path as they are registered. */
export type AccessTable = Readonly<Record<string, Access>>;

const anyone: Access = { who: "anyone", isLogged: false };
const source: Access = { who: "source", isLogged: false };
const merchant: Access = { who: "merchant", isLogged: false };
const reader: Access = { who: "reader", isLogged: false };
const session: Access = { who: "session", isLogged: false };
const operator: Access = { who: "operator", isLogged: true };
const managerLogged: Access = { who: "manager", isLogged: true };
/** What is asked every few seconds and changes nothing; it must answer while the log's database does not, too. */
const watcher: Access = { who: "operator", isLogged: false };

export const INGEST_ACCESS: AccessTable = {
  "GET /healthz": anyone,
  "POST /v1/events": source,
  "POST /v1/ids": source,
  // Which say what method would be right.
  "ALL /v1/events": anyone,
  "ALL /v1/ids": anyone,
};

/** Paths of a merchant begin with `/v1/merchants/:merchant`: there the merchant is looked for. */
export const API_ACCESS: AccessTable = {
  "GET /healthz": anyone,

  "POST /v1/session": anyone,
  "GET /v1/session": reader,
  "DELETE /v1/session": session,

  "GET /v1/merchants/:merchant": merchant,
  "GET /v1/merchants/:merchant/report": merchant,
  "GET /v1/merchants/:merchant/metrics": merchant,
  "POST /v1/merchants/:merchant/query": merchant,
  "GET /v1/merchants/:merchant/events": merchant,
  "GET /v1/merchants/:merchant/live": merchant,

  "GET /v1/merchants/:merchant/keys": merchant,
  "POST /v1/merchants/:merchant/keys": managerLogged,
  "POST /v1/merchants/:merchant/keys/:key/rotate": managerLogged,
  "DELETE /v1/merchants/:merchant/keys/:key": managerLogged,

  "GET /v1/merchants/:merchant/alerts": merchant,
  "POST /v1/merchants/:merchant/alerts": managerLogged,
  "GET /v1/merchants/:merchant/alerts/:alert": merchant,
  "PATCH /v1/merchants/:merchant/alerts/:alert": managerLogged,
  "DELETE /v1/merchants/:merchant/alerts/:alert": managerLogged,
  "POST /v1/merchants/:merchant/alerts/:alert/rotate": managerLogged,
  "POST /v1/merchants/:merchant/alerts/:alert/test": managerLogged,

  "GET /v1/admin/alerts": operator,
  "POST /v1/admin/alerts": operator,
  "GET /v1/admin/alerts/:alert": operator,
  "PATCH /v1/admin/alerts/:alert": operator,
  "DELETE /v1/admin/alerts/:alert": operator,
  "POST /v1/admin/alerts/:alert/rotate": operator,
  "POST /v1/admin/alerts/:alert/test": operator,
  "GET /v1/admin/sources": operator,
  "POST /v1/admin/sources": operator,
  "GET /v1/admin/sources/:source": operator,
  "PATCH /v1/admin/sources/:source": operator,
  "GET /v1/admin/merchants": operator,
  "GET /v1/admin/merchants/:merchant": operator,
  "PUT /v1/admin/merchants/:merchant": operator,
  "GET /v1/admin/keys": operator,
  "POST /v1/admin/keys": operator,
  "GET /v1/admin/keys/:key": operator,
  "POST /v1/admin/keys/:key/rotate": operator,
  "DELETE /v1/admin/keys/:key": operator,
  "GET /v1/admin/log": operator,
  "GET /v1/admin/dead-letters": operator,
  "POST /v1/admin/dead-letters/redrive": operator,
  "POST /v1/admin/dead-letters/discard": operator,
  "GET /v1/admin/topology": operator,
  "POST /v1/admin/topology": operator,
  "GET /v1/admin/audit": operator,
  "GET /v1/admin/health": watcher,
  "GET /v1/admin/metrics": watcher,
  "GET /v1/admin/replays": operator,
  "POST /v1/admin/replays": operator,
  "GET /v1/admin/replays/:id": operator,
  "DELETE /v1/admin/replays/:id": operator,
  "GET /v1/admin/erasures": operator,
  "POST /v1/admin/erasures": operator,
  "GET /v1/admin/erasures/:id": operator,
};

/** The methods that routes of a path have, for whoever used another one; none when there is no such path. */
export function methodsAt(table: AccessTable, path: string): string[] {
  const given = path.split("/");
  return Object.keys(table).flatMap((name) => {
    const [method = "", pattern = ""] = name.split(" ");
    const parts = pattern.split("/");
    const isAt =
      parts.length === given.length &&
      parts.every((part, at) => part === given[at] || (part.startsWith(":") && given[at] !== ""));
    // HEAD is answered wherever GET is.
    return isAt ? (method === "GET" ? [method, "HEAD"] : [method]) : [];
  });
}
