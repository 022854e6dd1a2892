import type { MetricsAnswer } from "../data/answers.ts";
import { t } from "../text/text.ts";

export interface NoticesProps {
  readonly notices: MetricsAnswer["notices"];
  /** Of the page's own. */
  readonly more?: readonly string[];
}

/** What a reader of the numbers must know. */
export function Notices({ notices, more = [] }: NoticesProps) {
  if (notices.length + more.length === 0) return null;
  return (
    <ul class="notices">
      {notices.map(({ code }) => (
        <li key={code}>{t(`notice.${code}`)}</li>
      ))}
      {more.map((text) => (
        <li key={text}>{text}</li>
      ))}
    </ul>
  );
}
