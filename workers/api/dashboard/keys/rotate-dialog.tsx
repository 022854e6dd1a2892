import { useState } from "preact/hooks";
import type { Key, RotatedKey } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import { Choice } from "../shell/choice.tsx";
import { FailureText } from "../shell/failure-text.tsx";
import { Dialog } from "../table/dialog.tsx";
import { listText } from "../table/list-text.ts";
import { keyName } from "./keys-table.tsx";
import { keysText as k } from "./keys-text.ts";

export interface RotateDialogProps {
  readonly path: string;
  readonly of: Key;
  readonly onRotated: (rotated: RotatedKey) => void;
  readonly onClose: () => void;
}

/** Seconds for which the old key goes on. */
const OVERLAPS_S = ["0", "3600", "86400", "604800", "2592000"] as const;
type Overlap = (typeof OVERLAPS_S)[number];

export function RotateDialog({ path, of, onRotated, onClose }: RotateDialogProps) {
  const [overlap, setOverlap] = useState<Overlap>("86400");
  const { isBusy, failure, run } = useAction();
  const rotate = async () => {
    const body = { overlap_s: Number(overlap) };
    const answer = await run<RotatedKey>(`${path}/${of.id}/rotate`, { method: "POST", body });
    if (answer.ok) onRotated(answer.value);
  };
  return (
    <Dialog
      title={k("rotate_title", { name: keyName(of) })}
      closeText={listText("cancel")}
      onClose={onClose}
      actions={
        <button type="button" class="primary" disabled={isBusy} onClick={() => void rotate()}>
          {k("rotate")}
        </button>
      }
    >
      <div class="form">
        <p>{k("rotate_body")}</p>
        <Choice
          label={k("overlap")}
          value={overlap}
          options={OVERLAPS_S.map((seconds) => [seconds, k(`overlap_${seconds}`)] as const)}
          onChange={setOverlap}
        />
        {failure !== undefined && (
          <p class="wrong" role="alert">
            <FailureText failure={failure} />
          </p>
        )}
      </div>
    </Dialog>
  );
}
