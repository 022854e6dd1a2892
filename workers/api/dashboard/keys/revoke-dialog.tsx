import type { Key } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import { FailureText } from "../shell/failure-text.tsx";
import { Dialog } from "../table/dialog.tsx";
import { listText } from "../table/list-text.ts";
import { keyName } from "./keys-table.tsx";
import { keysText as k } from "./keys-text.ts";

export interface RevokeDialogProps {
  readonly path: string;
  readonly of: Key;
  readonly onRevoked: () => void;
  readonly onClose: () => void;
}

export function RevokeDialog({ path, of, onRevoked, onClose }: RevokeDialogProps) {
  const { isBusy, failure, run } = useAction();
  const revoke = async () => {
    const answer = await run<undefined>(`${path}/${of.id}`, { method: "DELETE" });
    if (answer.ok) onRevoked();
  };
  return (
    <Dialog
      title={k("revoke_title", { name: keyName(of) })}
      closeText={listText("cancel")}
      onClose={onClose}
      actions={
        <button type="button" class="danger" disabled={isBusy} onClick={() => void revoke()}>
          {k("revoke")}
        </button>
      }
    >
      <p>
        <code>{of.prefix}…</code>
      </p>
      <p>
        {k("revoke_body")} {k("revoke_own")}
      </p>
      {failure !== undefined && (
        <p class="wrong" role="alert">
          <FailureText failure={failure} />
        </p>
      )}
    </Dialog>
  );
}
