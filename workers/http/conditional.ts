/** Whether the client has what it asks for: `If-None-Match` names the tag, weakly compared (RFC 9110 §13.1.2), or any. */
export function isNotModified(ifNoneMatch: string | null | undefined, tag: string): boolean {
  if (ifNoneMatch == null) return false;
  return ifNoneMatch.split(",").some((one) => {
    const named = one.trim();
    return named === "*" || named === `"${tag}"` || named === `W/"${tag}"`;
  });
}

/** Whether a body may be sent as gzip: named, or meant by `*`, and not with a weight of 0 (RFC 9110 §12.5.3). */
export function acceptsGzip(acceptEncoding: string | null | undefined): boolean {
  if (acceptEncoding == null) return false;
  const weights = new Map<string, boolean>();
  for (const one of acceptEncoding.toLowerCase().split(",")) {
    const [coding = "", ...parameters] = one.split(";").map((part) => part.trim());
    weights.set(coding, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter)));
  }
  return weights.get("gzip") ?? weights.get("*") ?? false;
}
