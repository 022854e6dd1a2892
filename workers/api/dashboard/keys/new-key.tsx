import { useState } from "preact/hooks";
import { dateIn } from "../address/civil-date.ts";
import type { CreatedKey } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import { Choice } from "../shell/choice.tsx";
import { FailureText } from "../shell/failure-text.tsx";
import { FormDialog } from "../table/form-dialog.tsx";
import { keysText as k } from "./keys-text.ts";

const ROLES = ["read", "manage"] as const;
type Role = (typeof ROLES)[number];

export interface NewKeyProps {
  readonly path: string;
  readonly onMade: (key: CreatedKey) => void;
  readonly onClose: () => void;
}

export function NewKey({ path, onMade, onClose }: NewKeyProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("read");
  const [last, setLast] = useState("");
  const { isBusy, failure, run } = useAction();
  const create = async () => {
    const body = {
      role,
      ...(name.trim() === "" ? {} : { name: name.trim() }),
      // To the end of that day, by this device's clock.
      ...(last === "" ? {} : { expires_at: new Date(`${last}T23:59:59`).toISOString() }),
    };
    const answer = await run<CreatedKey>(path, { method: "POST", body });
    if (answer.ok) onMade(answer.value);
  };
  return (
    <FormDialog
      title={k("create")}
      submitText={k("create")}
      isBusy={isBusy}
      wrong={failure && <FailureText failure={failure} />}
      onSubmit={create}
      onClose={onClose}
    >
      <label class="field">
        {k("name")}
        <input maxLength={100} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        <small>{k("name_hint")}</small>
      </label>
      <div class="field">
        <Choice
          label={k("role")}
          value={role}
          options={ROLES.map((one) => [one, k(`role_${one}`)] as const)}
          onChange={setRole}
        />
        <small>{k(`role_hint_${role}`)}</small>
      </div>
      <label class="field">
        {k("expires")}
        <input
          type="date"
          min={dateIn(Intl.DateTimeFormat().resolvedOptions().timeZone, Date.now())}
          value={last}
          onInput={(event) => setLast(event.currentTarget.value)}
        />
        <small>{k("expires_hint")}</small>
      </label>
    </FormDialog>
  );
}
