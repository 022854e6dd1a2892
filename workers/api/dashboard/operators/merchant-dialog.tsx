import { useState } from "preact/hooks";
import type { MerchantAnswer } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import { Choice } from "../shell/choice.tsx";
import { FailureText } from "../shell/failure-text.tsx";
import { EntryDialog } from "./entry-dialog.tsx";
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
  const save = async () => {
    const body = { name, timezone, currency };
    const answer = await run<MerchantAnswer>(`/v1/admin/merchants/${id}`, { method: "PUT", body });
    if (answer.ok) onSaved();
  };
  const zones = ZONES.includes(timezone) ? ZONES : [timezone, ...ZONES];
  return (
    <EntryDialog
      title={merchant === undefined ? o("merchant_new") : o("source_change_of", { name: merchant.name })}
      id={merchant === undefined ? { value: id, hint: o("merchant_id_hint"), onChange: setId } : undefined}
      name={name}
      onName={setName}
      isBusy={isBusy}
      wrong={failure && <FailureText failure={failure} />}
      onSave={save}
      onClose={onClose}
    >
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
    </EntryDialog>
  );
}
