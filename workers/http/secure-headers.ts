/** Of every answer of a Worker: it is what it says it is, runs and frames nothing, whatever a browser is made to do with it. Pages have their own (`workers/api/site/_headers`). */
const SECURE_HEADERS = [
  ["X-Content-Type-Options", "nosniff"],
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"],
] as const;

/** Two years. Over plain HTTP, as on one's own machine, it must not be sent (RFC 6797 §7.2). */
const STRICT_TRANSPORT = ["Strict-Transport-Security", "max-age=63072000; includeSubDomains"] as const;
const SECURE_HEADERS_OVER_TLS = [...SECURE_HEADERS, STRICT_TRANSPORT] as const;

export function secureHeaders(url: string): readonly (readonly [name: string, value: string])[] {
  return url.startsWith("https:") ? SECURE_HEADERS_OVER_TLS : SECURE_HEADERS;
}
