import { useState } from "preact/hooks";
import { linkTo } from "../address/address.ts";
import type { Dimension } from "../data/answers.ts";
import { ChangeText } from "../figures/change-text.tsx";
import { valueName } from "../figures/value-name.ts";
import { Link } from "../shell/link.tsx";
import { money, percent } from "../text/format.ts";
import { t } from "../text/text.ts";
import { type PanelSpan, partsFile } from "./panel-file.ts";
import { PanelHead } from "./panel-head.tsx";
import type { Part } from "./parts.ts";

export interface PartsPanelProps {
  readonly dimension: Dimension;
  readonly parts: readonly Part[];
  readonly span: PanelSpan;
}

const SHOWN = 6;

/** Payments by the values of a dimension: bars in a table. */
export function PartsPanel({ dimension, parts, span }: PartsPanelProps) {
  const { currency } = span;
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? parts : parts.slice(0, SHOWN);
  const largest = Math.max(...parts.map(({ amount }) => amount), 1);
  const hasChange = parts.some(({ change }) => change !== undefined);
  return (
    <section class="panel bars" aria-label={t(`dimension.${dimension}`)}>
      <PanelHead
        title={t(`dimension.${dimension}`)}
        file={parts.length === 0 ? undefined : () => partsFile(span, dimension, parts)}
      />
      <table>
        <caption class="visually-hidden">{t("panel.of_payments")}</caption>
        <thead>
          <tr>
            <th scope="col">
              <span class="visually-hidden">{t(`dimension.${dimension}`)}</span>
            </th>
            <th scope="col">
              <span class="visually-hidden">{t("panel.of_payments")}</span>
            </th>
            <th scope="col">{t("panel.share")}</th>
            {hasChange && <th scope="col">{t("panel.change")}</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((part) => (
            <tr key={`${part.part} ${part.value}`}>
              <th scope="row" title={nameOf(dimension, part)}>
                <div class="bar">
                  <i style={{ width: `${Math.max((part.amount / largest) * 100, 0.5)}%` }} />
                  <PartName dimension={dimension} part={part} currency={currency} />
                </div>
              </th>
              <Amount amount={part.amount} currency={currency} />
              <td>{percent(part.share)}</td>
              {hasChange && <td>{part.change && <ChangeText change={part.change} goodUp={true} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {parts.length === 0 && <p class="empty">{t("panel.empty")}</p>}
      {parts.length > SHOWN && (
        <button type="button" class="quiet no-print" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? t("panel.less") : t("panel.more", { count: parts.length })}
        </button>
      )}
    </section>
  );
}

const CHARACTERS_MAX = 13;

/** Shortened before it leaves no room for what it is of. */
function Amount({ amount, currency }: { readonly amount: number; readonly currency: string }) {
  const text = money(amount, currency);
  if (text.length <= CHARACTERS_MAX) return <td>{text}</td>;
  return <td title={text}>{money(amount, currency, { compact: true })}</td>;
}

/** With a way to the payments it is made of; those beyond the values that are kept cannot be asked for. */
function PartName({
  dimension,
  part,
  currency,
}: {
  readonly dimension: Dimension;
  readonly part: Part;
  readonly currency: string;
}) {
  const name = nameOf(dimension, part);
  if (part.part === "other") return <span>{name}</span>;
  const to = linkTo("payments", { currency }, { type: "payment", [dimension]: part.value });
  return <Link to={to}>{name}</Link>;
}

function nameOf(dimension: Dimension, { part, value }: Part): string {
  return part === "value" ? valueName(dimension, value) : t(`value.${part}`);
}
