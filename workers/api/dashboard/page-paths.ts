/** Where each page stands. The build writes a file for each, since a path that is no file is the Worker's to answer: with 404. */
export const PAGE_PATHS = {
  today: "/",
  span: "/span",
  payments: "/payments",
  explore: "/explore",
  alerts: "/alerts",
  keys: "/keys",
  operators: "/operators",
} as const;

export type PageName = keyof typeof PAGE_PATHS;
