import type { ComponentType } from "preact";
import type { PageName } from "./page-paths.ts";
import { later } from "./shell/later.tsx";
import type { Merchant } from "./shell/merchant.ts";
import { SpanPage } from "./span/span-page.tsx";
import type { MessageName } from "./text/messages-en.ts";
import { TodayPage } from "./today/today-page.tsx";

/** `who` finds it among the pages; the API decides who may. An operators' page is there without any merchant. */
export type Page = { readonly title: MessageName } & (
  | { readonly who: "everyone"; readonly Body: ComponentType<{ readonly merchant: Merchant }> }
  | { readonly who: "operator"; readonly Body: ComponentType }
);

/** In the order of the navigation. A new page has a path in page-paths.ts, a line here, and its texts. All but the first two are loaded when they are opened. */
export const PAGES: Readonly<Record<PageName, Page>> = {
  today: { title: "nav.today", who: "everyone", Body: TodayPage },
  span: { title: "nav.span", who: "everyone", Body: SpanPage },
  payments: {
    title: "nav.payments",
    who: "everyone",
    Body: later(async () => (await import("./payments/payments-page.tsx")).PaymentsPage),
  },
  explore: {
    title: "nav.explore",
    who: "everyone",
    Body: later(async () => (await import("./explore/explore-page.tsx")).ExplorePage),
  },
  alerts: {
    title: "nav.alerts",
    who: "everyone",
    Body: later(async () => (await import("./alerts/alerts-page.tsx")).AlertsPage),
  },
  keys: {
    title: "nav.keys",
    who: "everyone",
    Body: later(async () => (await import("./keys/keys-page.tsx")).KeysPage),
  },
  operators: {
    title: "nav.operators",
    who: "operator",
    Body: later(async () => (await import("./operators/operators-page.tsx")).OperatorsPage),
  },
};
