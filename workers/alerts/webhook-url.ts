import ipaddr from "ipaddr.js";
import { err, ok, type Result } from "../../shared/result.ts";

export const WEBHOOK_URL_CHARACTERS_MAX = 2_000;
/** Where HTTPS is spoken; any other port is more likely something that was not meant to be reached. */
const PORTS: ReadonlySet<string> = new Set(["", "8443"]);
/** Names that mean the machine or the network a request comes from (RFC 6761, RFC 6762 with its appendix G, RFC 8375, and what clouds and clusters call their own). */
const INNER_NAME =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|svc|arpa|onion|test|invalid)$/;
const LOOPBACK = "127.0.0.1";

/**
 * The address that notices are posted to, in the form `fetch` uses; `err` with what would be right. It must lead out into the internet, so that nobody
 * has Tally call what only Tally can reach. What a name resolves to is the platform's to check: its Workers have no way to a private network, and workerd
 * connects to public addresses alone. `isLocalAllowed` also takes `http://127.0.0.1`, for trying it on one machine.
 */
export function parseWebhookUrl(text: string, isLocalAllowed: boolean): Result<string, string> {
  if (text.length > WEBHOOK_URL_CHARACTERS_MAX) return err(`at most ${WEBHOOK_URL_CHARACTERS_MAX} characters`);
  const url = URL.parse(text);
  if (url === null) return err("an absolute URL, such as https://example.com/hooks/tally");
  if (url.username !== "" || url.password !== "") return err("no user name or password: what is sent is signed");
  if (url.hash !== "") return err("no fragment: it is never sent");
  if (isLocalAllowed && url.protocol === "http:" && url.hostname === LOOPBACK) return ok(url.href);
  if (url.protocol !== "https:") return err("https");
  if (!PORTS.has(url.port)) return err("port 443 or 8443");
  const fault = faultOfHost(url.hostname);
  return fault === undefined ? ok(url.href) : err(fault);
}

/** The host as the URL standard writes it: every spelling of an IPv4 address is four decimal numbers by now. */
function faultOfHost(hostname: string): string | undefined {
  const host = hostname.replace(/\.$/, "");
  const address = host.startsWith("[") ? host.slice(1, -1) : host;
  if (ipaddr.isValid(address)) return isPublic(ipaddr.parse(address)) ? undefined : "a public address";
  if (!host.includes(".") || INNER_NAME.test(host)) return "a public host name";
  return undefined;
}

/**
 * Addresses that stand for another one (mapped, translated, tunnelled) are of ranges of their own, and none of them is unicast. Of IPv6 nothing but 2000::/3
 * is public (RFC 4291 §2.4): `[::127.0.0.1]` is of no range that has a name.
 */
function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || ((address.toByteArray()[0] ?? 0) & 0xe0) === 0x20;
}
