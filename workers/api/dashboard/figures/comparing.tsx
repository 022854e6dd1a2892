import { show, view } from "../address/address.ts";
import { COMPARISONS } from "../address/view.ts";
import { Choice } from "../shell/choice.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { t } from "../text/text.ts";

export interface ComparingProps {
  readonly merchant: Merchant;
  readonly currencies: readonly string[];
  readonly currency: string;
}

/** What numbers are compared with, and by whose clock and money they are. */
export function Comparing({ merchant, currencies, currency }: ComparingProps) {
  const { compare } = view.value;
  return (
    <div class="controls no-print">
      <Choice
        label={t("compare.label")}
        value={compare}
        options={[...COMPARISONS, "none" as const].map((name) => [name, t(`compare.${name}`)] as const)}
        onChange={(chosen) => show({ compare: chosen })}
      />
      <ZoneChoice merchant={merchant} />
      {currencies.length > 1 && (
        <Choice
          label={t("currency.label")}
          value={currency}
          options={currencies.map((code) => [code, code] as const)}
          onChange={(chosen) => show({ currency: chosen === merchant.homeCurrency ? undefined : chosen })}
        />
      )}
    </div>
  );
}

const ZONES = Intl.supportedValuesOf("timeZone");
const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

function ZoneChoice({ merchant: { zone, homeZone } }: { readonly merchant: Merchant }) {
  const suggested = new Map([
    [homeZone, t("zone.merchant", { zone: homeZone })],
    ...(BROWSER_ZONE === homeZone ? [] : [[BROWSER_ZONE, t("zone.browser", { zone: BROWSER_ZONE })] as const]),
    ...["UTC", zone].filter((name) => name !== homeZone && name !== BROWSER_ZONE).map((name) => [name, name] as const),
  ]);
  return (
    <Choice
      label={t("zone.label")}
      value={zone}
      options={[...suggested]}
      groups={[
        [
          t("zone.all"),
          ZONES.filter((name) => !suggested.has(name)).map((name) => [name, name.replaceAll("_", " ")] as const),
        ],
      ]}
      onChange={(chosen) => show({ zone: chosen === homeZone ? undefined : chosen })}
    />
  );
}
