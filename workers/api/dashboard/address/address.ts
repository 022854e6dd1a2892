import { computed, signal } from "@preact/signals";
import { PAGE_PATHS, type PageName } from "../page-paths.ts";
import { queryOf, type View, viewOf } from "./view.ts";

/** The address of the page, which is all the state that a link has to carry. */
const address = signal(new URL(location.href));
addEventListener("popstate", () => {
  address.value = new URL(location.href);
});

export const view = computed<View>(() => viewOf(address.value.searchParams));

/** `undefined` where no page stands. */
export const page = computed<PageName | undefined>(() => {
  const path = address.value.pathname.replace(/(?<=.)\/$/, "");
  return (Object.keys(PAGE_PATHS) as PageName[]).find((name) => PAGE_PATHS[name] === path);
});

/** Shows otherwise what is shown: a step in the browser's history. */
export function show(change: Partial<View>): void {
  const query = queryOf({ ...view.value, ...change }).toString();
  go(`${address.value.pathname}${query === "" ? "" : `?${query}`}`);
}

/** Another page, which shows by the same. */
export function linkTo(name: PageName, change: Partial<View> = {}): string {
  const query = queryOf({ ...view.value, ...change }).toString();
  return `${PAGE_PATHS[name]}${query === "" ? "" : `?${query}`}`;
}

export function go(path: string): void {
  if (path === `${location.pathname}${location.search}`) return;
  history.pushState(null, "", path);
  address.value = new URL(location.href);
}

/** Takes the fragment off, so that what stood in it is in no history. */
export function dropFragment(): void {
  history.replaceState(null, "", `${location.pathname}${location.search}`);
  address.value = new URL(location.href);
}
