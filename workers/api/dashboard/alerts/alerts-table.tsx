import type { AlertAnswer } from "../data/answers.ts";
import { ScrollTable } from "../table/scroll-table.tsx";
import { count, dateAndTime, percent, timeIn } from "../text/format.ts";
import { alertsText as a } from "./alerts-text.ts";

export interface AlertsTableProps {
  readonly alerts: readonly AlertAnswer[];
  readonly zone: string;
  readonly onShow: (alert: AlertAnswer) => void;
}

export function AlertsTable({ alerts, zone, onShow }: AlertsTableProps) {
  const columns = [
    { title: a("name") },
    { title: a("when"), isMinor: true },
    { title: a("state") },
    { title: a("actions"), isActions: true },
  ];
  return (
    <ScrollTable caption={a("title")} columns={columns}>
      {alerts.map((alert) => (
        <tr key={alert.id}>
          <th scope="row" class="wrap">
            {alert.name}
          </th>
          <td class="minor">{ruleText(alert.rule)}</td>
          <td>
            <AlertState of={alert} zone={zone} />
          </td>
          <td class="actions">
            <button
              type="button"
              class="quiet"
              aria-label={a("show_of", { name: alert.name })}
              onClick={() => onShow(alert)}
            >
              {a("show")}
            </button>
          </td>
        </tr>
      ))}
    </ScrollTable>
  );
}

export function AlertState({ of, zone }: { readonly of: AlertAnswer; readonly zone: string }) {
  const time = (text: string) => dateAndTime(timeIn(zone, Date.parse(text)));
  if (!of.enabled)
    return (
      <span class="state">
        {of.disabled_reason === null ? a("off") : a("disabled", { reason: of.disabled_reason })}
      </span>
    );
  if (of.state === "firing" && of.firing_since !== null)
    return <span class="state bad">{a("firing", { time: time(of.firing_since) })}</span>;
  return (
    <>
      <span class="state good">{a("quiet")}</span>{" "}
      <small>{of.checked === null ? a("not_looked") : a("looked", { time: time(of.checked.at) })}</small>
    </>
  );
}

export function ruleText(rule: AlertAnswer["rule"]): string {
  switch (rule.kind) {
    case "no_sales":
      return a("no_sales_text", { minutes: count(rule.minutes) });
    case "below_baseline":
      return a("below_text", { figure: a(rule.figure), percent: percent(rule.percent / 100) });
    default:
      // An operator's, which no merchant has.
      return rule.kind;
  }
}
