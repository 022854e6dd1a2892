import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { AsTable } from "../chart/as-table.tsx";
import type { Total } from "../data/answers.ts";
import { count, money, percent } from "../text/format.ts";
import { t } from "../text/text.ts";
import { type AmountBar, amountBars } from "./amount-bars.ts";
import { amountsFile, type PanelSpan } from "./panel-file.ts";
import { PanelHead } from "./panel-head.tsx";

const isTableOpen = signal(false);
const STEPS = ["min", "p50", "p90", "p99", "max"] as const;
const MARKS = ["p50", "p90", "p99"] as const;

export interface AmountsPanelProps {
  /** With `amounts`; `undefined` where there is nothing in this currency. */
  readonly total: Total | undefined;
  readonly span: PanelSpan;
}

/** How payments' amounts are distributed: bars, and the amounts up to which half, nine tenths and all but a hundredth are. */
export function AmountsPanel({ total, span }: AmountsPanelProps) {
  const { currency } = span;
  const shown = total !== undefined && total.min !== null ? total : undefined;
  const [pointed, setPointed] = useState<string>();
  return (
    <section class="panel amounts-panel" aria-label={t("amounts.title")}>
      <PanelHead title={t("amounts.title")} file={shown && (() => amountsFile(span, shown))}>
        {pointed ?? t("amounts.caption")}
      </PanelHead>
      {shown !== undefined && <Histogram total={shown} currency={currency} onPoint={setPointed} />}
      <dl class="amounts">
        {STEPS.map((step) => (
          <div key={step}>
            <dt>{t(`amounts.${step}`)}</dt>
            <dd>{money(total?.[step] ?? null, currency)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface HistogramProps {
  readonly total: Total;
  readonly currency: string;
  readonly onPoint: (text: string | undefined) => void;
}

const TICKS_MAX = 6;

function Histogram({ total, currency, onPoint }: HistogramProps) {
  const { bars, beyond } = amountBars(total);
  const start = bars[0]?.from ?? 0;
  const width = (bars.at(-1)?.to ?? 1) - start;
  const all = beyond === undefined ? bars : [...bars, beyond];
  const payments = all.reduce((sum, bar) => sum + bar.count, 0);
  const highest = Math.max(1, ...all.map((bar) => bar.count));
  const place = (amount: number) => ({ left: `${((amount - start) / width) * 100}%` });
  const textOf = (bar: AmountBar) =>
    t("amounts.bar", {
      range: rangeText(bar, bar === beyond, currency),
      count: count(bar.count),
      share: percent(bar.count / payments),
    });
  const barOf = (bar: AmountBar) => (
    <div key={bar.from} class="amount-slot" onPointerEnter={() => onPoint(textOf(bar))}>
      <i style={{ height: `${(bar.count / highest) * 100}%` }} />
    </div>
  );
  const every = Math.ceil(bars.length / TICKS_MAX);
  return (
    <>
      <div
        class="histogram"
        aria-hidden="true"
        onPointerLeave={(event) => event.pointerType === "mouse" && onPoint(undefined)}
      >
        <div class="amount-bars">
          {bars.map(barOf)}
          {MARKS.map((mark) => (
            <span key={mark} class={`amount-mark ${mark}`} style={place(total[mark] ?? start)}>
              {t(`amounts.mark.${mark}`)}
            </span>
          ))}
          {bars.map(({ from }, at) =>
            at % every === 0 ? (
              <span key={from} class={at === 0 ? "amount-tick first" : "amount-tick"} style={place(from)}>
                {money(from, currency, { compact: true })}
              </span>
            ) : null,
          )}
        </div>
        {beyond !== undefined && <div class="amount-beyond">{barOf(beyond)}</div>}
      </div>
      <AsTable isOpen={isTableOpen}>
        {() => (
          <table>
            <caption class="visually-hidden">{t("amounts.title")}</caption>
            <tbody>
              {all.map((bar) => (
                <tr key={bar.from}>
                  <th scope="row">{rangeText(bar, bar === beyond, currency)}</th>
                  <td>{count(bar.count)}</td>
                  <td>{percent(bar.count / payments)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </AsTable>
    </>
  );
}

const rangeText = ({ from, to }: AmountBar, isLast: boolean, currency: string): string =>
  isLast
    ? t("amounts.from", { from: money(from, currency) })
    : t("amounts.range", { from: money(from, currency), to: money(to, currency) });
