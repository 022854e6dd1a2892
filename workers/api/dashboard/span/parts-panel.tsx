import { useState } from "preact/hooks";
import type { Dimension } from "../data/answers.ts";
import { ChangeText } from "../figures/change-text.tsx";
import { countryName, money, percent } from "../text/format.ts";
import { t } from "../text/text.ts";
import type { Part } from "./parts.ts";

export interface PartsPanelProps {
  readonly dimension: Dimension;
  readonly parts: readonly Part[];
  readonly currency: string;
  readonly isLoading: boolean;
}

const SHOWN = 6;

/** Payments by the values of a dimension: bars in a table. */
export function PartsPanel({ dimension, parts, currency, isLoading }: PartsPanelProps) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? parts : parts.slice(0, SHOWN);
  const largest = Math.max(...parts.map(({ amount }) => amount), 1);
  const hasChange = parts.some(({ change }) => change !== undefined);
  return (
    <section class="panel bars" aria-label={t(`dimension.${dimension}`)} aria-busy={isLoading}>
      <h2>{t(`dimension.${dimension}`)}</h2>
      <table>
        <caption class="visually-hidden">{t("panel.of_payments")}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">{t(`dimension.${dimension}`)}</span>
            </th>
            <th scope="col" class="of-amount">
              <span class="visually-hidden">{t("panel.of_payments")}</span>
            </th>
            <th scope="col" class="of-share">
              {t("panel.share")}
            </th>
            {hasChange && (
              <th scope="col" class="of-change">
                {t("panel.change")}
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {shown.map((part) => (
            <tr key={`${part.part} ${part.value}`}>
              <th scope="row" title={nameOf(dimension, part)}>
                <div class="bar">
                  <i style={{ width: `${Math.max((part.amount / largest) * 100, 0.5)}%` }} />
                  <span>{nameOf(dimension, part)}</span>
                </div>
              </th>
              <td>{money(part.amount, currency)}</td>
              <td>{percent(part.share)}</td>
              {hasChange && <td>{part.change && <ChangeText change={part.change} goodUp={true} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {parts.length === 0 && <p class="empty">{t(isLoading ? "loading" : "panel.empty")}</p>}
      {parts.length > SHOWN && (
        <button type="button" class="quiet no-print" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? t("panel.less") : t("panel.more", { count: parts.length })}
        </button>
      )}
    </section>
  );
}

/** What is written otherwise than by its first letter. */
const SPELT: Readonly<Record<string, string>> = { ios: "iOS", qr: "QR", pos: "POS" };

function nameOf(dimension: Dimension, { part, value }: Part): string {
  if (part !== "value") return t(`value.${part}`);
  if (dimension === "country") return countryName(value);
  const spelt = SPELT[value];
  if (spelt !== undefined) return spelt;
  const words = value.replaceAll("_", " ");
  return dimension === "location" || dimension === "age_band" ? value : words.charAt(0).toUpperCase() + words.slice(1);
}
