import { t } from "../text/text.ts";

export function Waiting() {
  return (
    <div class="waiting" role="status">
      <span class="visually-hidden">{t("loading")}</span>
    </div>
  );
}
