import { useId, useState } from "preact/hooks";
import type { MerchantAnswer } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import { Choice } from "../shell/choice.tsx";
import { failureText } from "../shell/failure-panel.tsx";
import { Dialog } from "../table/dialog.tsx";
import { listText } from "../table/list-text.ts";
import { operatorsText as o } from "./operators-text.ts";

export interface MerchantDialogProps {
  /** `undefined` for a new one. */
  readonly merchant: MerchantAnswer | undefined;
  readonly onSaved: () => void;
  readonly onClose: () => void;
}

const ZONES = Intl.supportedValuesOf("timeZone");

/** What reads of a merchant take for granted. Its payments are counted in UTC, so that another zone changes no number that is stored. */
export function MerchantDialog({ merchant, onSaved, onClose }: MerchantDialogProps) {
  const [id, setId] = useState(merchant?.id ?? "");
  const [name, setName] = useState(merchant?.name ?? "");
  const [timezone, setTimezone] = useState(merchant?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone);
  const [currency, setCurrency] = useState(merchant?.currency ?? "");
  const { isBusy, failure, run } = useAction();
  const form = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = { name, timezone, currency };
    const answer = await run<MerchantAnswer>(`/v1/admin/merchants/${id}`, { method: "PUT", body });
    if (answer.ok) onSaved();
  };
  const zones = ZONES.includes(timezone) ? ZONES : [timezone, ...ZONES];
  return (
    <Dialog
      title={merchant === undefined ? o("merchant_new") : o("source_change_of", { name: merchant.name })}
      closeText={listText("cancel")}
      onClose={onClose}
      actions={
        <button type="submit" form={form} class="primary" disabled={isBusy}>
          {o("save")}
        </button>
      }
    >
      <form id={form} class="form" onSubmit={(event) => void submit(event)}>
        {merchant === undefined && (
          <label class="field">
            {o("id")}
            <input
              required
              pattern="[A-Za-z0-9._\-]{1,64}"
              value={id}
              onInput={(event) => setId(event.currentTarget.value)}
            />
            <small>{o("merchant_id_hint")}</small>
          </label>
        )}
        <label class="field">
          {o("name")}
          <input required maxLength={200} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <Choice
          label={o("zone")}
          value={timezone}
          options={zones.map((zone) => [zone, zone.replaceAll("_", " ")] as const)}
          onChange={setTimezone}
        />
        <label class="field">
          {o("currency")}
          <input
            required
            pattern="[A-Z]{3}"
            maxLength={3}
            placeholder="JPY"
            value={currency}
            onInput={(event) => setCurrency(event.currentTarget.value.toUpperCase())}
          />
          <small>{o("merchant_currency_hint")}</small>
        </label>
        {failure !== undefined && (
          <p class="wrong" role="alert">
            {failureText(failure)}
          </p>
        )}
      </form>
    </Dialog>
  );
}
