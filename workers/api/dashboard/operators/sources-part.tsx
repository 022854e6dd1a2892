import { useState } from "preact/hooks";
import type { z } from "zod";
import type { sourceSchema, sourcesSchema } from "../../source-schema.ts";
import { usePages } from "../data/use-pages.ts";
import { Pager } from "../table/pager.tsx";
import { ScrollTable } from "../table/scroll-table.tsx";
import { shortDate } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { operatorsText as o } from "./operators-text.ts";
import { SourceDialog } from "./source-dialog.tsx";

const PATH = "/v1/admin/sources?limit=100";

type Source = z.output<typeof sourceSchema>;

/** Who may send payments. */
export function SourcesPart() {
  const pages = usePages<z.output<typeof sourcesSchema>>(PATH);
  /** The one that is changed; `null` for one that is added. */
  const [changing, setChanging] = useState<Source | null>();
  const close = () => setChanging(undefined);
  return (
    <AnswerPanel
      title={o("sources")}
      intro={o("source_intro")}
      question={pages.question}
      known={pages.known}
      actions={
        <button type="button" onClick={() => setChanging(null)}>
          {o("source_new")}
        </button>
      }
    >
      {({ sources }) => (
        <>
          {sources.length === 0 ? (
            <p class="empty">{o("no_sources")}</p>
          ) : (
            <SourceTable sources={sources} onChange={setChanging} />
          )}
          <Pager pages={pages} />
          {changing !== undefined && (
            <SourceDialog
              source={changing ?? undefined}
              onSaved={() => {
                close();
                pages.refresh();
              }}
              onClose={close}
            />
          )}
        </>
      )}
    </AnswerPanel>
  );
}

interface SourceTableProps {
  readonly sources: readonly Source[];
  readonly onChange: (source: Source) => void;
}

function SourceTable({ sources, onChange }: SourceTableProps) {
  const columns = [
    { title: o("name") },
    { title: o("id"), isMinor: true },
    { title: o("may_send") },
    { title: o("has_mapping"), isMinor: true },
    { title: o("added"), isMinor: true },
    { title: o("actions"), isActions: true },
  ];
  return (
    <ScrollTable caption={o("sources")} columns={columns}>
      {sources.map((source) => (
        <tr key={source.id}>
          <th scope="row">{source.name}</th>
          <td class="minor">
            <code>{source.id}</code>
          </td>
          <td class="wrap">{source.merchants?.join(", ") ?? o("every_merchant")}</td>
          <td class="minor">{o(source.mapping === null ? "sends_payments" : "sends_rows")}</td>
          <td class="minor">{shortDate(source.created_at)}</td>
          <td class="actions">
            <button
              type="button"
              class="quiet"
              aria-label={o("source_change_of", { name: source.name })}
              onClick={() => onChange(source)}
            >
              {o("source_change")}
            </button>
          </td>
        </tr>
      ))}
    </ScrollTable>
  );
}
