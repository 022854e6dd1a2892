import { useState } from "preact/hooks";
import { type MetricsWish, metricsCsvPath } from "../data/questions.ts";
import type { Merchant } from "../shell/merchant.ts";
import { dateAndTime } from "../text/format.ts";
import { t } from "../text/text.ts";

export interface TakeProps {
  readonly merchant: Merchant;
  readonly wish: MetricsWish;
  readonly currency: string;
  readonly asOf: string | undefined;
  /** Of the view with its dates, which a preset would move. */
  readonly link?: string;
}

const COPIED_MS = 2_500;

/** To take away what is shown: as a file, on paper, as a link. */
export function Take({ merchant, wish, currency, asOf, link = location.href }: TakeProps) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(new URL(link, location.href).href);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <>
      <div class="take no-print">
        <a class="button" download href={metricsCsvPath(wish, currency)}>
          {t("take.csv")}
        </a>
        <button type="button" onClick={() => print()}>
          {t("take.print")}
        </button>
        <button type="button" onClick={() => void copy()}>
          {t("take.link")}
        </button>
        <span role="status">{isCopied ? t("take.copied") : ""}</span>
      </div>
      {asOf !== undefined && (
        <p class="print-only">
          {t("print.made", { merchant: merchant.name, time: `${dateAndTime(asOf)} ${merchant.zone}` })}
        </p>
      )}
    </>
  );
}
