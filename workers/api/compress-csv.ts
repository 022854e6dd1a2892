import { createMiddleware } from "hono/factory";
import { acceptsGzip } from "../http/conditional.ts";
import { setHeaders } from "../http/set-headers.ts";

/**
 * Has tables compressed for whoever takes gzip, to a tenth or less: the platform compresses JSON on its way out, and no CSV (Cloudflare, "Content
 * compression"). The runtime does it, since the answer says that it is.
 */
export const compressCsv = createMiddleware(async (c, next) => {
  await next();
  const { headers } = c.res;
  // What has a tag was made for this caller: compressed, it would be other bytes under the same one.
  const isCsv = headers.get("Content-Type")?.startsWith("text/csv") === true && !headers.has("ETag");
  if (isCsv && acceptsGzip(c.req.header("Accept-Encoding"))) setHeaders(c, [["Content-Encoding", "gzip"]]);
});
