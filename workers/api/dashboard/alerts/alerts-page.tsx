import { useState } from "preact/hooks";
import type { AlertsAnswer, CreatedAlert } from "../data/answers.ts";
import { refresh, renew } from "../data/kept-answers.ts";
import { managesKeys, session } from "../data/session.ts";
import { useAnswer } from "../data/use-answer.ts";
import { FailurePanel } from "../shell/failure-panel.tsx";
import type { Merchant } from "../shell/merchant.ts";
import "../style/forms.css";
import "../style/lists.css";
import { CopyButton } from "../table/copy-button.tsx";
import { Dialog } from "../table/dialog.tsx";
import { AlertPanel } from "./alert-panel.tsx";
import { AlertsTable } from "./alerts-table.tsx";
import { alertsText as a } from "./alerts-text.ts";
import { NewAlert } from "./new-alert.tsx";

/** How they stand is looked at every minute. */
const AGE_MS_MAX = 30_000;

/** What the merchant is told of, and how that stands. */
export function AlertsPage({ merchant }: { readonly merchant: Merchant }) {
  const path = `/v1/merchants/${merchant.id}/alerts`;
  const { answer, failure } = useAnswer<AlertsAnswer>({ path }, AGE_MS_MAX);
  const now = session.value;
  const isManager = "account" in now && managesKeys(now.account);
  const [isCreating, setCreating] = useState(false);
  /** In memory while it is shown, and nowhere else. */
  const [made, setMade] = useState<CreatedAlert>();
  const [shownId, setShownId] = useState<string>();
  const shown = answer?.alerts.find(({ id }) => id === shownId);
  return (
    <>
      <div class="page-head">
        <div>
          <h1>{a("title")}</h1>
          <p class="quiet-note">
            {a("intro")} {!isManager && a("read_only")}
          </p>
        </div>
        {isManager && (
          <button type="button" class="primary" onClick={() => setCreating(true)}>
            {a("create")}
          </button>
        )}
      </div>
      {failure !== undefined && <FailurePanel failure={failure} onRetry={() => refresh({ path })} />}
      <div class="panel" hidden={answer === undefined && failure !== undefined}>
        {answer === undefined ? (
          failure === undefined && <div class="chart-waiting" />
        ) : answer.alerts.length === 0 ? (
          <p class="empty">{a("empty")}</p>
        ) : (
          <AlertsTable alerts={answer.alerts} zone={merchant.zone} onShow={({ id }) => setShownId(id)} />
        )}
      </div>
      {shown !== undefined && (
        <AlertPanel
          key={shown.id}
          path={`${path}/${shown.id}`}
          zone={merchant.zone}
          isManager={isManager}
          onChanged={() => renew({ path })}
        />
      )}
      {isCreating && (
        <NewAlert
          path={path}
          onMade={(alert) => {
            setCreating(false);
            setMade(alert);
            renew({ path });
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {made !== undefined && <Secret of={made} onClose={() => setMade(undefined)} />}
    </>
  );
}

/** The one time that it can be read. */
function Secret({ of, onClose }: { readonly of: CreatedAlert; readonly onClose: () => void }) {
  const title = a("secret_title", { name: of.name });
  return (
    <Dialog title={title} closeText={a("secret_done")} onClose={onClose}>
      <p>{a("secret_body")}</p>
      <div class="secret form">
        <code>{of.secret}</code>
        <div class="secret-actions">
          <CopyButton text={of.secret} of={title} />
        </div>
      </div>
    </Dialog>
  );
}
