import { own, show } from "../address/address.ts";
import { addDays } from "../address/civil-date.ts";
import { pathIdOf } from "../address/view.ts";
import type { ListedReplay, ReplaysAnswer } from "../data/answers.ts";
import { usePages } from "../data/use-pages.ts";
import { listText } from "../table/list-text.ts";
import { Pager } from "../table/pager.tsx";
import { ScrollTable } from "../table/scroll-table.tsx";
import { dateAndTime, dateRange, percent } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { operatorsText as o } from "./operators-text.ts";
import { ReplayForm } from "./replay-form.tsx";
import { ReplayPanel } from "./replay-panel.tsx";

const PATH = "/v1/admin/replays?limit=50";
/** Every reading is logged: what runs is looked at now and then, the rest hardly. */
const RUNNING_AGE_MS_MAX = 4_000;
const AGE_MS_MAX = 60_000;

/** Windows counted anew from the archive: first compared, then written. */
export function ReplaysPart() {
  const pages = usePages<ReplaysAnswer>(PATH, ageMsMaxOf);
  const shownId = pathIdOf(own.value.replay);
  const setShownId = (replay: string) => show({}, { replay });
  const begun = (id: string) => {
    setShownId(id);
    pages.refresh();
  };
  return (
    <>
      <ReplayForm onBegun={begun} />
      {shownId !== undefined && <ReplayPanel key={shownId} id={shownId} onBegun={begun} onEnded={pages.refresh} />}
      <AnswerPanel title={o("replays")} question={pages.question} known={pages.known}>
        {({ replays }) => (
          <>
            {replays.length === 0 ? (
              <p class="empty">{o("no_replays")}</p>
            ) : (
              <ReplayTable replays={replays} onShow={setShownId} />
            )}
            <Pager pages={pages} />
          </>
        )}
      </AnswerPanel>
    </>
  );
}

function ageMsMaxOf(answer: ReplaysAnswer | undefined): number {
  return answer?.replays.some(({ state }) => state === "running") ? RUNNING_AGE_MS_MAX : AGE_MS_MAX;
}

/** Of hours; where they are whole days, the days. */
export function spanText({ from, to }: Pick<ListedReplay, "from" | "to">): string {
  const isDays = from.slice(11, 19) === "00:00:00" && to.slice(11, 19) === "00:00:00";
  return isDays
    ? dateRange(from.slice(0, 10), addDays(to.slice(0, 10), -1))
    : `${dateAndTime(from)} – ${dateAndTime(to)}`;
}

export function stateText(state: ListedReplay["state"]): string {
  return state === "done" ? o("replay_done") : o(state);
}

interface ReplayTableProps {
  readonly replays: readonly ListedReplay[];
  readonly onShow: (id: string) => void;
}

function ReplayTable({ replays, onShow }: ReplayTableProps) {
  const columns = [
    { title: o("begun"), isMinor: true },
    { title: o("span") },
    { title: o("merchant"), isMinor: true },
    { title: o("writes"), isMinor: true },
    { title: o("asked_by"), isMinor: true },
    { title: o("progress") },
    { title: o("actions"), isActions: true },
  ];
  return (
    <ScrollTable caption={o("replays")} columns={columns}>
      {replays.map((replay) => (
        <tr key={replay.id}>
          <td class="minor">{dateAndTime(replay.created_at)}</td>
          <th scope="row" class="wrap">
            {spanText(replay)}
          </th>
          <td class="minor">{replay.merchant ?? o("every_merchant")}</td>
          <td class="minor">{listText(replay.dry_run ? "no" : "yes")}</td>
          <td class="minor">{o(replay.asked_by === "audit" ? "by_audit" : "operator")}</td>
          <td>{replay.state === "running" ? percent(replay.progress) : stateText(replay.state)}</td>
          <td class="actions">
            <button
              type="button"
              class="quiet"
              aria-label={o("replay_show_of", { span: spanText(replay) })}
              onClick={() => onShow(replay.id)}
            >
              {o("replay_show")}
            </button>
          </td>
        </tr>
      ))}
    </ScrollTable>
  );
}
