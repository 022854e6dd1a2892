import { useEffect, useMemo, useState } from "preact/hooks";
import { show, view } from "../address/address.ts";
import { COMPARISONS } from "../address/view.ts";
import { Choice } from "../shell/choice.tsx";
import type { Merchant } from "../shell/merchant.ts";
import { language } from "../text/preferences.ts";
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
    <div class="controls comparing no-print">
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

const IDLE_MS = 2_000;
const BETWEEN_MS = 50;
/** As many as a phone puts in without an answer to a tap being late. */
const ZONES_AT_ONCE = 60;
const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Some four hundred zones: put in by and by once the numbers stand, and not compared with what they were each time a number moves. */
function ZoneChoice({ merchant: { zone, homeZone } }: { readonly merchant: Merchant }) {
  const [zones, setZones] = useState<readonly string[]>([]);
  useEffect(
    () =>
      whenIdle(
        () => {
          const all = Intl.supportedValuesOf("timeZone");
          if (zones.length < all.length) setZones(all.slice(0, zones.length + ZONES_AT_ONCE));
        },
        zones.length === 0 ? IDLE_MS : BETWEEN_MS,
      ),
    [zones],
  );
  return useMemo(
    () => <ZoneList zone={zone} homeZone={homeZone} zones={zones} />,
    [zone, homeZone, zones, language.value],
  );
}

/** Safari has no idle callbacks: after `elseMs` there. */
function whenIdle(work: () => void, elseMs: number): () => void {
  if (!("requestIdleCallback" in globalThis)) {
    const timer = setTimeout(work, elseMs);
    return () => clearTimeout(timer);
  }
  const handle = requestIdleCallback(work, { timeout: IDLE_MS });
  return () => cancelIdleCallback(handle);
}

interface ZoneListProps {
  readonly zone: string;
  readonly homeZone: string;
  readonly zones: readonly string[];
}

function ZoneList({ zone, homeZone, zones }: ZoneListProps) {
  const suggested = new Map([
    [homeZone, t("zone.merchant", { zone: homeZone })],
    ...(BROWSER_ZONE === homeZone ? [] : [[BROWSER_ZONE, t("zone.browser", { zone: BROWSER_ZONE })] as const]),
    ...["UTC", zone].filter((name) => name !== homeZone && name !== BROWSER_ZONE).map((name) => [name, name] as const),
  ]);
  return (
    <Choice
      class="zone-choice"
      label={t("zone.label")}
      value={zone}
      options={[...suggested]}
      groups={[
        [
          t("zone.all"),
          zones.filter((name) => !suggested.has(name)).map((name) => [name, name.replaceAll("_", " ")] as const),
        ],
      ]}
      onChange={(chosen) => show({ zone: chosen === homeZone ? undefined : chosen })}
    />
  );
}
