import type { Total } from "../data/answers.ts";
import { money } from "../text/format.ts";
import { t } from "../text/text.ts";

const STEPS = ["min", "p50", "p90", "p99", "max"] as const;

/** How payments' amounts are distributed, by the quantiles that reports have, on a logarithmic scale. */
export function AmountsPanel({ total, currency }: { readonly total: Total; readonly currency: string }) {
  const steps = STEPS.map((step) => ({ step, amount: total[step] }));
  const scale = (amount: number | null) => Math.log(Math.max(amount ?? 1, 1));
  const low = scale(total.min);
  const width = Math.max(scale(total.max) - low, 1e-9);
  return (
    <section class="panel" aria-label={t("amounts.title")}>
      <h2>{t("amounts.title")}</h2>
      {(total.payments.count ?? 0) > 0 && (
        <div class="strip" aria-hidden="true">
          {steps.map(({ step, amount }) => (
            <i key={step} style={{ left: `${((scale(amount) - low) / width) * 100}%` }} />
          ))}
        </div>
      )}
      <dl class="amounts">
        {steps.map(({ step, amount }) => (
          <div key={step}>
            <dt>{t(`amounts.${step}`)}</dt>
            <dd>{money(amount, currency)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
