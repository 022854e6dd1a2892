import { useEffect, useState } from "preact/hooks";
import { linkTo, own, show } from "../address/address.ts";
import type { MerchantAnswer, MerchantsAnswer } from "../data/answers.ts";
import { refreshAll } from "../data/kept-answers.ts";
import { usePages } from "../data/use-pages.ts";
import { Link } from "../shell/link.tsx";
import { Pager } from "../table/pager.tsx";
import { ScrollTable } from "../table/scroll-table.tsx";
import { shortDate } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { MerchantDialog } from "./merchant-dialog.tsx";
import { operatorsText as o } from "./operators-text.ts";

const PATH = "/v1/admin/merchants?limit=100";

/** Merchants, each with the way to what it sees itself. */
export function MerchantsPart() {
  const { q = "" } = own.value;
  const path = q === "" ? PATH : `${PATH}&q=${encodeURIComponent(q)}`;
  const pages = usePages<MerchantsAnswer>(path);
  /** The one that is changed; `null` for one that is added. */
  const [changing, setChanging] = useState<MerchantAnswer | null>();
  const close = () => setChanging(undefined);
  return (
    <AnswerPanel
      title={o("merchants")}
      intro={o("merchants_intro")}
      question={pages.question}
      known={pages.known}
      actions={
        <div class="controls search">
          <Search text={q} />
          <button type="button" onClick={() => setChanging(null)}>
            {o("merchant_new")}
          </button>
        </div>
      }
    >
      {({ merchants }) => (
        <>
          {merchants.length === 0 ? (
            <p class="empty">{o(q === "" ? "no_merchants" : "no_merchant_found")}</p>
          ) : (
            <MerchantTable merchants={merchants} onChange={setChanging} />
          )}
          <Pager pages={pages} />
          {changing !== undefined && (
            <MerchantDialog
              merchant={changing ?? undefined}
              onSaved={() => {
                close();
                // The header shows merchants, too.
                refreshAll();
              }}
              onClose={close}
            />
          )}
        </>
      )}
    </AnswerPanel>
  );
}

const TYPED_MS = 250;

/** What is typed is looked for when the typing rests; the address says it, so that the way back finds it again. */
function Search({ text }: { readonly text: string }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => show({}, { q: typed === "" ? undefined : typed }), TYPED_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <input
      type="search"
      aria-label={o("merchant_search")}
      placeholder={o("merchant_search")}
      maxLength={200}
      value={typed}
      onInput={(event) => setTyped(event.currentTarget.value)}
    />
  );
}

interface MerchantTableProps {
  readonly merchants: readonly MerchantAnswer[];
  readonly onChange: (merchant: MerchantAnswer) => void;
}

function MerchantTable({ merchants, onChange }: MerchantTableProps) {
  const columns = [
    { title: o("name") },
    { title: o("id"), isMinor: true },
    { title: o("zone"), isMinor: true },
    { title: o("currency"), isMinor: true },
    { title: o("added"), isMinor: true },
    { title: o("actions"), isActions: true },
  ];
  return (
    <ScrollTable caption={o("merchants")} columns={columns}>
      {merchants.map((merchant) => (
        <tr key={merchant.id}>
          <th scope="row" class="wrap">
            <Link to={linkTo("today", { merchant: merchant.id, zone: undefined, currency: undefined })}>
              {merchant.name}
            </Link>
          </th>
          <td class="minor">
            <code>{merchant.id}</code>
          </td>
          <td class="minor">{merchant.timezone}</td>
          <td class="minor">{merchant.currency}</td>
          <td class="minor">{shortDate(merchant.created_at)}</td>
          <td class="actions">
            <button
              type="button"
              class="quiet"
              aria-label={o("source_change_of", { name: merchant.name })}
              onClick={() => onChange(merchant)}
            >
              {o("source_change")}
            </button>
          </td>
        </tr>
      ))}
    </ScrollTable>
  );
}
