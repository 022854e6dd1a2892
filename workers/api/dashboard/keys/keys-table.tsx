import type { Key } from "../data/answers.ts";
import { ScrollTable } from "../table/scroll-table.tsx";
import { dateAndTime, NOTHING, shortDate, timeIn } from "../text/format.ts";
import { keysText as k } from "./keys-text.ts";

export interface KeysTableProps {
  readonly keys: readonly Key[];
  readonly zone: string;
  readonly isLoading: boolean;
  /** None for whoever may only look. */
  readonly actions: KeyActions | undefined;
}

export interface KeyActions {
  readonly onRotate: (key: Key) => void;
  readonly onRevoke: (key: Key) => void;
}

/** Enough to tell keys apart by. */
const PREFIX_SHOWN = 18;

export function KeysTable({ keys, zone, isLoading, actions }: KeysTableProps) {
  const columns = [
    { title: k("name") },
    { title: k("key"), isMinor: true },
    { title: k("role") },
    { title: k("state") },
    { title: k("created"), isMinor: true },
    { title: k("last_used"), isMinor: true },
    { title: k("ends"), isMinor: true },
    ...(actions === undefined ? [] : [{ title: k("actions"), isActions: true }]),
  ];
  const time = (text: string | null, write: (time: string) => string) =>
    text === null ? NOTHING : write(timeIn(zone, Date.parse(text)));
  return (
    <ScrollTable caption={k("title")} columns={columns} isLoading={isLoading}>
      {keys.map((key) => (
        <tr key={key.id}>
          <th scope="row">{keyName(key)}</th>
          <td class="minor">
            <code title={key.prefix}>{key.prefix.slice(0, PREFIX_SHOWN)}…</code>
          </td>
          <td>{key.role !== null && k(`role_${key.role}`)}</td>
          <td>
            <KeyState of={key} />
          </td>
          <td class="minor">{time(key.created_at, shortDate)}</td>
          <td class="minor">{time(key.last_used_at, dateAndTime)}</td>
          <td class="minor">{time(key.expires_at, dateAndTime)}</td>
          {actions !== undefined && (
            <td class="actions">{key.state === "live" && <KeyButtons of={key} {...actions} />}</td>
          )}
        </tr>
      ))}
    </ScrollTable>
  );
}

export const keyName = ({ name }: Key): string => name ?? k("unnamed");

function KeyState({ of: { state, replaced_by } }: { readonly of: Key }) {
  if (state === "live" && replaced_by !== null) return <span class="state">{k("replaced")}</span>;
  return <span class={`state ${state === "live" ? "good" : ""}`}>{k(state)}</span>;
}

function KeyButtons({ of, onRotate, onRevoke }: KeyActions & { readonly of: Key }) {
  const name = of.name ?? of.prefix;
  return (
    <>
      {of.replaced_by === null && (
        <button type="button" class="quiet" aria-label={k("rotate_of", { name })} onClick={() => onRotate(of)}>
          {k("rotate")}
        </button>
      )}
      <button type="button" class="quiet" aria-label={k("revoke_of", { name })} onClick={() => onRevoke(of)}>
        {k("revoke")}
      </button>
    </>
  );
}
