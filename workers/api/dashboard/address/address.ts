import { batch, computed, signal } from "@preact/signals";
import { PAGE_PATHS, type PageName } from "../page-paths.ts";
import { queryOf, VIEW_PARAMETERS, type View, viewOf } from "./view.ts";

/** Is neither the view's nor the page's own: another span is shown as a whole again. */
const ZOOM_PARAMETER = "zoom";
/** Browsers bear some hundred changes of the address in half a minute, and zooming has one a frame. */
const LINK_AFTER_MS = 300;

/** The address of the page, which is all the state that a link has to carry. */
const address = signal(new URL(location.href));
const zoomIn = ({ searchParams }: URL): string | undefined => searchParams.get(ZOOM_PARAMETER) ?? undefined;

/** What the page's line is zoomed to: what the address says, or will in a moment. */
export const zoom = signal(zoomIn(address.value));
/** The same where it need not be told of each frame: what the address says. */
export const linkedZoom = signal(zoom.value);
let linking: number | undefined;

/** What is on its way into the address is of the page that was left. */
function arrive(): void {
  clearTimeout(linking);
  linking = undefined;
  batch(() => {
    address.value = new URL(location.href);
    zoom.value = zoomIn(address.value);
    linkedZoom.value = zoom.value;
  });
}
addEventListener("popstate", arrive);

export const view = computed<View>(() => viewOf(address.value.searchParams));

/** `undefined` where no page stands. */
export const page = computed<PageName | undefined>(() => {
  const path = address.value.pathname.replace(/(?<=.)\/$/, "");
  return (Object.keys(PAGE_PATHS) as PageName[]).find((name) => PAGE_PATHS[name] === path);
});

/** What an address says for its page alone: other pages neither know nor keep it. */
export type Own = Readonly<Record<string, string | undefined>>;

export const own = computed<Readonly<Record<string, string>>>(() =>
  Object.fromEntries(
    [...address.value.searchParams].filter(([name]) => !VIEW_PARAMETERS.has(name) && name !== ZOOM_PARAMETER),
  ),
);

/** A link to the page as it is looked at: a path of ours, zoomed as the line is. */
export function linkToCopy(path: string): string {
  const link = new URL(path, location.href);
  if (zoom.value !== undefined) link.searchParams.set(ZOOM_PARAMETER, zoom.value);
  return link.href;
}

/** The address says it a moment later: no step in the browser's history, and nothing but the line is drawn anew. */
export function zoomTo(text: string | undefined): void {
  zoom.value = text;
  clearTimeout(linking);
  linking = window.setTimeout(linkZoom, LINK_AFTER_MS);
}

function linkZoom(): void {
  clearTimeout(linking);
  linking = undefined;
  const { pathname, searchParams } = new URL(location.href);
  if (zoom.value === undefined) searchParams.delete(ZOOM_PARAMETER);
  else searchParams.set(ZOOM_PARAMETER, zoom.value);
  linkedZoom.value = zoom.value;
  history.replaceState(null, "", searchParams.size === 0 ? pathname : `${pathname}?${searchParams}`);
}

/** Shows otherwise what is shown: a step in the browser's history. What is zoomed to stays, unless it is of another span. */
export function show(change: Partial<View>, ownChange: Own = {}): void {
  const kept = "span" in change ? undefined : zoom.value;
  go(pathOf(address.value.pathname, change, { ...own.value, ...ownChange, [ZOOM_PARAMETER]: kept }));
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
  if (linking !== undefined) linkZoom();
  if (path === `${location.pathname}${location.search}`) return;
  history.pushState(null, "", path);
  arrive();
}

/** Takes the fragment off, so that what stood in it is in no history. */
export function dropFragment(): void {
  history.replaceState(null, "", `${location.pathname}${location.search}`);
  arrive();
}
