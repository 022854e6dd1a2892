import { linkTo } from "../address/address.ts";
import type { MerchantsAnswer } from "../data/answers.ts";
import { usePages } from "../data/use-pages.ts";
import { Link } from "../shell/link.tsx";
import { Pager } from "../table/pager.tsx";
import { ScrollTable } from "../table/scroll-table.tsx";
import { shortDate } from "../text/format.ts";
import { AnswerPanel } from "./answer-panel.tsx";
import { operatorsText as o } from "./operators-text.ts";

const PATH = "/v1/admin/merchants?limit=100";

/** Merchants, each with the way to what it sees itself. */
export function MerchantsPart() {
  const pages = usePages<MerchantsAnswer>(PATH);
  const columns = [
    { title: o("name") },
    { title: o("id") },
    { title: o("zone"), isMinor: true },
    { title: o("currency"), isMinor: true },
    { title: o("added"), isMinor: true },
  ];
  return (
    <AnswerPanel title={o("merchants")} intro={o("merchants_intro")} question={{ path: PATH }} known={pages.known}>
      {({ merchants }) =>
        merchants.length === 0 ? (
          <p class="empty">{o("no_merchants")}</p>
        ) : (
          <>
            <ScrollTable caption={o("merchants")} columns={columns}>
              {merchants.map(({ id, name, timezone, currency, created_at }) => (
                <tr key={id}>
                  <th scope="row">
                    <Link to={linkTo("today", { merchant: id, zone: undefined, currency: undefined })}>{name}</Link>
                  </th>
                  <td>
                    <code>{id}</code>
                  </td>
                  <td class="minor">{timezone}</td>
                  <td class="minor">{currency}</td>
                  <td class="minor">{shortDate(created_at)}</td>
                </tr>
              ))}
            </ScrollTable>
            <Pager pages={pages} />
          </>
        )
      }
    </AnswerPanel>
  );
}
