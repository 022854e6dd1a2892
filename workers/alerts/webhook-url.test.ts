import { describe, expect, test } from "vitest";
import { parseWebhookUrl, WEBHOOK_URL_CHARACTERS_MAX } from "./webhook-url.ts";

describe("a webhook's address", () => {
  test.each([
    ["https://example.com/hooks/tally?shop=1", "https://example.com/hooks/tally?shop=1"],
    ["https://EXAMPLE.com:443", "https://example.com/"],
    ["https://example.com:8443/a", "https://example.com:8443/a"],
    ["https://8.8.8.8/a", "https://8.8.8.8/a"],
    ["https://[2606:4700:4700::1111]/a", "https://[2606:4700:4700::1111]/a"],
    ["https://bücher.example.org/", "https://xn--bcher-kva.example.org/"],
  ])("%s may be called", (given, called) => {
    expect(parseWebhookUrl(given, false)).toEqual({ ok: true, value: called });
  });

  test.each([
    // Not the internet's, however it is written.
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://0.0.0.0/",
    "https://10.0.0.8/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::127.0.0.1]/",
    "https://[::a9fe:a9fe]/",
    "https://[100:0:0:1::1]/",
    "https://[4000::1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://①②⑦.0.0.1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://router.home.arpa/",
    "https://printer.corp/",
    "https://nas.home/",
    "https://kubernetes.default.svc/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://intranet/",
    // Not by HTTPS, not at its ports, not as somebody.
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://example.com:22/",
    "https://example.com:6379/",
    "https://example.com:80/",
    "https://user:password@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com/#fragment",
    // No address at all.
    "",
    "example.com",
    "//example.com/",
    "https://",
    `https://example.com/${"a".repeat(WEBHOOK_URL_CHARACTERS_MAX)}`,
  ])("%s may not", (given) => {
    expect(parseWebhookUrl(given, false)).toMatchObject({ ok: false });
  });

  test("may be of this machine where that is allowed, and then only by its address over HTTP", () => {
    expect(parseWebhookUrl("http://127.0.0.1:4000/a", true)).toMatchObject({ ok: true });
    for (const other of ["http://localhost:4000/", "http://10.0.0.1/", "https://127.0.0.1/", "http://[::1]/"]) {
      expect([other, parseWebhookUrl(other, true).ok]).toEqual([other, false]);
    }
    expect(parseWebhookUrl("http://127.0.0.1:4000/a", false)).toMatchObject({ ok: false });
  });
});
