import { useState } from "preact/hooks";
import type { AlertDelivery, AlertWithDeliveries } from "../data/answers.ts";
import { refresh, renew } from "../data/kept-answers.ts";
import type { AskOptions } from "../data/request.ts";
import { useAction } from "../data/use-action.ts";
import { useAnswer } from "../data/use-answer.ts";
import { FailurePanel } from "../shell/failure-panel.tsx";
import { FailureText } from "../shell/failure-text.tsx";
import { Dialog } from "../table/dialog.tsx";
import { listText } from "../table/list-text.ts";
import { ScrollTable } from "../table/scroll-table.tsx";
import { count, dateAndTime, timeIn } from "../text/format.ts";
import { t } from "../text/text.ts";
import { ruleText } from "./alerts-table.tsx";
import { alertsText as a } from "./alerts-text.ts";

export interface AlertPanelProps {
  readonly path: string;
  readonly zone: string;
  readonly isManager: boolean;
  readonly onChanged: () => void;
}

/** An alert with whom it has told what, and what can be done with it. */
export function AlertPanel({ path, zone, isManager, onChanged }: AlertPanelProps) {
  const { answer, failure } = useAnswer<AlertWithDeliveries>({ path });
  const { isBusy, failure: refused, run } = useAction();
  const [isDeleting, setDeleting] = useState(false);
  const act = async (at: string, options: AskOptions) => {
    await run<unknown>(at, options);
    setDeleting(false);
    if (options.method !== "DELETE") renew({ path });
    onChanged();
  };
  if (answer === undefined)
    return failure === undefined ? (
      <p class="empty">{t("loading")}</p>
    ) : (
      <FailurePanel failure={failure} onRetry={() => refresh({ path })} />
    );
  const { name, rule, webhook, enabled, deliveries } = answer;
  return (
    <section class="panel" aria-label={name}>
      <h2>{name}</h2>
      <p class="quiet-note intro">
        {ruleText(rule)} · <code>{webhook.url}</code>
      </p>
      {isManager && (
        <div class="take">
          <button type="button" disabled={isBusy} onClick={() => void act(`${path}/test`, { method: "POST" })}>
            {a("test")}
          </button>
          <button
            type="button"
            disabled={isBusy}
            onClick={() => void act(path, { method: "PATCH", body: { enabled: !enabled } })}
          >
            {a(enabled ? "turn_off" : "turn_on")}
          </button>
          <button type="button" class="danger" disabled={isBusy} onClick={() => setDeleting(true)}>
            {a("delete")}
          </button>
        </div>
      )}
      {refused !== undefined && (
        <p class="wrong" role="alert">
          <FailureText failure={refused} />
        </p>
      )}
      <h3>{a("deliveries")}</h3>
      {deliveries.length === 0 ? (
        <p class="quiet-note">{a("no_deliveries")}</p>
      ) : (
        <Deliveries deliveries={deliveries} zone={zone} />
      )}
      {isDeleting && (
        <Dialog
          title={a("delete_title", { name })}
          closeText={listText("cancel")}
          onClose={() => setDeleting(false)}
          actions={
            <button type="button" class="danger" disabled={isBusy} onClick={() => void act(path, { method: "DELETE" })}>
              {a("delete")}
            </button>
          }
        >
          <p>{a("delete_body")}</p>
        </Dialog>
      )}
    </section>
  );
}

function Deliveries({ deliveries, zone }: { readonly deliveries: readonly AlertDelivery[]; readonly zone: string }) {
  const columns = [
    { title: a("sent") },
    { title: a("notice") },
    { title: a("outcome") },
    { title: a("attempts"), isNumber: true, isMinor: true },
  ];
  return (
    <ScrollTable caption={a("deliveries")} columns={columns}>
      {deliveries.map(({ id, created_at, type, state, status, failure, attempts }) => (
        <tr key={id}>
          <th scope="row">{dateAndTime(timeIn(zone, Date.parse(created_at)))}</th>
          <td>{a(type)}</td>
          <td class="wrap">
            <span class={`state ${state === "delivered" ? "good" : state === "failed" ? "bad" : ""}`}>{a(state)}</span>{" "}
            <small lang="en">{state === "delivered" ? "" : (failure ?? status)}</small>
          </td>
          <td class="number minor">{count(attempts)}</td>
        </tr>
      ))}
    </ScrollTable>
  );
}
