import { problemBody, problemHeaders } from "../workers/http/problem.ts";
import { REQUEST_ID_HEADER } from "../workers/http/request-id.ts";

/**
 * Stands before the api Worker where the platform has its edge, which lets no request in whose address is none: two `Host`, or one that is no host. Miniflare
 * has no edge; its router of assets would fail on such a request before our Worker is asked, and answer 500.
 */
export const EDGE_NAME = "tally-edge";

const refusal = {
  status: 400,
  code: "invalid_host",
  title: "The request's address is none",
  detail: "There is one Host, a name with a port or without, and a path that begins with a slash.",
};

/**
 * As an ES module: there is nothing to bundle. `cf` is what a header of Miniflare's says, which may be no JSON. CONNECT, which is a tunnel's, is answered by the
 * runtime: with 500 where a Worker has no handler for it.
 */
const SCRIPT = `
const HOST = /^(?:\\[[\\da-f:.]+\\]|[\\w.-]+)$/i;
const isAddressed = (request) => {
  try {
    return HOST.test(new URL(request.url).hostname) && request.cf !== null;
  } catch {
    return false;
  }
};
export default {
  async fetch(request, { API, REFUSAL }) {
    if (isAddressed(request)) return await API.fetch(request);
    await request.body?.pipeTo(new WritableStream(), { signal: AbortSignal.timeout(5_000) }).catch(() => {});
    const headers = { ...REFUSAL.headers, [REFUSAL.idHeader]: crypto.randomUUID() };
    return new Response(REFUSAL.body, { status: REFUSAL.status, headers });
  },
  async connect(socket) {
    await socket.close();
  },
};
`;

/** Miniflare's options of it. */
export function edgeOptions(apiName: string, port: number) {
  return {
    name: EDGE_NAME,
    compatibilityDate: "2026-11-01",
    modules: [{ type: "ESModule" as const, path: "edge.js", contents: SCRIPT }],
    serviceBindings: { API: apiName },
    bindings: {
      REFUSAL: {
        status: refusal.status,
        body: problemBody(refusal),
        headers: Object.fromEntries(problemHeaders(refusal)),
        idHeader: REQUEST_ID_HEADER,
      },
    },
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  };
}
