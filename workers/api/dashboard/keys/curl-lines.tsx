import { addDays, dateIn } from "../address/civil-date.ts";
import type { Merchant } from "../shell/merchant.ts";
import { CopyButton } from "../table/copy-button.tsx";
import { CURL_EXAMPLES, curlLine, KEY_VARIABLE } from "./curl.ts";
import { keysText as k } from "./keys-text.ts";

const DAYS = 28;

/** How a program reads the same numbers. */
export function CurlLines({ merchant: { id, zone } }: { readonly merchant: Merchant }) {
  const target = { origin: location.origin, merchantId: id, from: addDays(dateIn(zone, Date.now()), 1 - DAYS) };
  return (
    <section class="panel" aria-labelledby="curl-title">
      <h2 id="curl-title">{k("curl_title")}</h2>
      <p class="quiet-note">
        {k("curl_body", { variable: KEY_VARIABLE })} <a href="/docs/">{k("reference")}</a>
      </p>
      {CURL_EXAMPLES.map((example) => {
        const line = curlLine(example, target);
        const title = k(`curl_${example}`);
        return (
          <div key={example} class="curl">
            <div class="curl-head">
              <h3>{title}</h3>
              <CopyButton text={line} of={title} />
            </div>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
            <pre tabIndex={0}>
              <code>{line}</code>
            </pre>
          </div>
        );
      })}
    </section>
  );
}
