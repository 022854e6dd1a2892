/** Of lists and dialogs, which all pages after the first two have. */
const en = {
  pages: "Pages of the list",
  page: "Page {number}",
  next: "Next",
  previous: "Back",
  copy: "Copy",
  copied: "Copied",
  refused: "Not copied",
  close: "Close",
  cancel: "Cancel",
  yes: "Yes",
  no: "No",
} as const;

const ja: Readonly<Record<keyof typeof en, string>> = {
  pages: "一覧のページ",
  page: "{number} ページ",
  next: "次へ",
  previous: "戻る",
  copy: "コピー",
  copied: "コピーしました",
  refused: "コピーできません",
  close: "閉じる",
  cancel: "キャンセル",
  yes: "はい",
  no: "いいえ",
};

export const LISTS = { en, ja };
