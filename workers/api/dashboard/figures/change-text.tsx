import type { Change } from "../data/answers.ts";
import { percent } from "../text/format.ts";
import { t } from "../text/text.ts";

export interface ChangeTextProps {
  readonly change: Change;
  /** Whether more is better; `undefined` where that cannot be said. */
  readonly goodUp: boolean | undefined;
}

/** How much more or less: told by sign and words, and by colour besides. */
export function ChangeText({ change: { absolute, ratio }, goodUp }: ChangeTextProps) {
  // Nothing, as before; or no value at all, as an average of nothing.
  if (ratio === null) return absolute === 0 ? <span class="change">{t("change.same")}</span> : null;
  if (ratio === "new") return <span class="change">{t("change.new")}</span>;
  if (Math.abs(ratio) < 0.0005) return <span class="change">{t("change.same")}</span>;
  const isUp = ratio > 0;
  const tone = goodUp === undefined ? "" : isUp === goodUp ? "good" : "bad";
  const text = percent(Math.abs(ratio));
  return (
    <span class={`change ${tone}`}>
      <span aria-hidden="true">
        {isUp ? "▲" : "▼"} {text}
      </span>
      <span class="visually-hidden">{t(isUp ? "change.up" : "change.down", { ratio: text })}</span>
    </span>
  );
}
