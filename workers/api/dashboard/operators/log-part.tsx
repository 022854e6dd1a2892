import { Fragment } from "preact";
import { useState } from "preact/hooks";
import type { z } from "zod";
import type { logEntrySchema, logSchema } from "../../log-schema.ts";
import { usePages } from "../data/use-pages.ts";
import { Pager } from "../table/pager.tsx";
import { ScrollTable } from "../table/scroll-table.tsx";
import { dateAndTime } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { operatorsText as o } from "./operators-text.ts";

const PATH = "/v1/admin/log?limit=100";
/** Pages that are looked at ask again and again: what is done would be hard to find between. */
const CHANGES_PATH = `${PATH}&methods=POST,PUT,PATCH,DELETE`;

type Entry = z.output<typeof logEntrySchema>;

/** Who did what, the newest first. */
export function LogPart() {
  const [hasReads, setReads] = useState(false);
  const path = hasReads ? PATH : CHANGES_PATH;
  const pages = usePages<z.output<typeof logSchema>>(path);
  return (
    <AnswerPanel
      title={o("log")}
      question={pages.question}
      known={pages.known}
      actions={
        <label class="tick">
          <input type="checkbox" checked={!hasReads} onChange={() => setReads(!hasReads)} />
          {o("without_reads")}
        </label>
      }
    >
      {({ entries }) => (
        <>
          <LogTable entries={entries} />
          <Pager pages={pages} />
        </>
      )}
    </AnswerPanel>
  );
}

function LogTable({ entries }: { readonly entries: readonly Entry[] }) {
  const columns = [
    { title: o("at") },
    { title: o("who") },
    { title: o("call") },
    { title: o("outcome"), isNumber: true },
    { title: o("parameters"), isMinor: true },
  ];
  if (entries.length === 0) return <p class="empty">{o("no_entries")}</p>;
  return (
    <ScrollTable caption={o("log")} columns={columns}>
      {entries.map((entry) => (
        <tr key={entry.id}>
          <th scope="row" class="moment">
            {dateAndTime(entry.at)}
          </th>
          <td>{whoText(entry.who)}</td>
          <td>
            <code>
              {entry.method} {withBreaks(entry.route)}
            </code>
          </td>
          <td class="number">{entry.status ?? o("unfinished")}</td>
          <td class="wrap minor">
            <code>{parametersText(entry)}</code>
          </td>
        </tr>
      ))}
    </ScrollTable>
  );
}

/** A path has no blanks: where there is no room it goes on in the next line after a slash. */
function withBreaks(route: string) {
  return route.split(/(?<=\/)/).map((part, at) => (
    <Fragment key={at}>
      {part}
      <wbr />
    </Fragment>
  ));
}

function whoText(who: Entry["who"]): string {
  if (who === null) return o("unknown_who");
  return who.session ? o("by_session", { who: who.subject }) : who.subject;
}

const TEXT_LENGTH_MAX = 240;

/** Without the path, which the call says but for its ids. */
function parametersText({ parameters, route }: Entry): string {
  const { path, ...others } = parameters;
  const shown = path === route ? others : parameters;
  const text = Object.keys(shown).length === 0 ? "" : JSON.stringify(shown);
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
}
