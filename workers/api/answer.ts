/** JSON that is not to be kept by anybody in between. */
export function fresh(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: { "Cache-Control": "private, no-store" } });
}
