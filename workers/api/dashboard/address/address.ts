import { computed, signal } from "@preact/signals";
import { PAGE_PATHS, type PageName } from "../page-paths.ts";
import { queryOf, VIEW_PARAMETERS, type View, viewOf } from "./view.ts";

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

/** What an address says for its page alone: other pages neither know nor keep it. */
export type Own = Readonly<Record<string, string | undefined>>;

export const own = computed<Readonly<Record<string, string>>>(() =>
  Object.fromEntries([...address.value.searchParams].filter(([name]) => !VIEW_PARAMETERS.has(name))),
);

/** Shows otherwise what is shown: a step in the browser's history. */
export function show(change: Partial<View>, ownChange: Own = {}): void {
  go(pathOf(address.value.pathname, change, { ...own.value, ...ownChange }));
}

/** Another page, which shows by the same. */
export function linkTo(name: PageName, change: Partial<View> = {}, ownOfIt: Own = {}): string {
  return pathOf(PAGE_PATHS[name], change, ownOfIt);
}

function pathOf(path: string, change: Partial<View>, ownOfIt: Own): string {
  const query = queryOf({ ...view.value, ...change });
  for (const [name, value] of Object.entries(ownOfIt)) if (value !== undefined) query.set(name, value);
  return query.size === 0 ? path : `${path}?${query}`;
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
