import { useId, useState } from "preact/hooks";
import { addDays, civilDateOf } from "../address/civil-date.ts";
import type { BegunReplay, MerchantsAnswer } from "../data/answers.ts";
import { useAction } from "../data/use-action.ts";
import { useAnswer } from "../data/use-answer.ts";
import { FailureText } from "../shell/failure-text.tsx";
import { operatorsText as o } from "./operators-text.ts";

/** What is younger may not be final yet. */
const FINAL_DAYS = 2;

/** Begins with a dry run, always: to write is offered where its differences are seen. */
export function ReplayForm({ onBegun }: { readonly onBegun: (id: string) => void }) {
  const today = civilDateOf(Date.now());
  const [from, setFrom] = useState(addDays(today, -FINAL_DAYS));
  const [last, setLast] = useState(addDays(today, -FINAL_DAYS));
  const [merchant, setMerchant] = useState("");
  const merchants = useAnswer<MerchantsAnswer>({ path: "/v1/admin/merchants?limit=200" }, Number.POSITIVE_INFINITY);
  const { isBusy, failure, run } = useAction();
  const known = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    const body = {
      ...{ from, to: addDays(last, 1), dry_run: true },
      ...(merchant === "" ? {} : { merchant }),
    };
    const answer = await run<BegunReplay>("/v1/admin/replays", { method: "POST", body });
    if (answer.ok) onBegun(answer.value.id);
  };
  return (
    <section class="panel" aria-labelledby="replay-new">
      <h2 id="replay-new">{o("replay_new")}</h2>
      <p class="quiet-note intro">{o("replay_intro")}</p>
      <form class="controls" onSubmit={(event) => void submit(event)}>
        <label class="field">
          <span class="choice-label">{o("replay_from")}</span>
          <input
            type="date"
            required
            max={today}
            value={from}
            onInput={(event) => setFrom(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span class="choice-label">{o("replay_to")}</span>
          <input
            type="date"
            required
            min={from}
            max={today}
            value={last}
            onInput={(event) => setLast(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span class="choice-label">{o("replay_merchant")}</span>
          <input
            list={known}
            pattern="[A-Za-z0-9._\-]{1,64}"
            placeholder={o("every_merchant")}
            value={merchant}
            onInput={(event) => setMerchant(event.currentTarget.value)}
          />
          <datalist id={known}>
            {merchants.answer?.merchants.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </datalist>
        </label>
        <button type="submit" class="primary" disabled={isBusy}>
          {o("dry_run")}
        </button>
      </form>
      {failure !== undefined && (
        <p class="wrong" role="alert">
          <FailureText failure={failure} />
        </p>
      )}
    </section>
  );
}
