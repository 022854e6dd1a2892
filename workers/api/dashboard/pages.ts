import type { ComponentType } from "preact";
import type { PageName } from "./page-paths.ts";
import type { Merchant } from "./shell/merchant.ts";
import { SpanPage } from "./span/span-page.tsx";
import type { MessageName } from "./text/messages-en.ts";
import { TodayPage } from "./today/today-page.tsx";

export interface Page {
  readonly title: MessageName;
  /** Who finds it among the pages; the API decides who may. */
  readonly who: "everyone" | "operator";
  readonly Body: ComponentType<{ readonly merchant: Merchant }>;
}

/** In the order of the navigation. A new page has a path in page-paths.ts, a line here, and its texts. */
export const PAGES: Readonly<Record<PageName, Page>> = {
  today: { title: "nav.today", who: "everyone", Body: TodayPage },
  span: { title: "nav.span", who: "everyone", Body: SpanPage },
};
