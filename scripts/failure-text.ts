import { failureText as anyFailureText, NETWORK_WORDS } from "../clients/typescript/src/failure-text.ts";

const WORDS = {
  ...NETWORK_WORDS,
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  Z_BUF_ERROR: "the gzip data ends too early",
  Z_DATA_ERROR: "the gzip data is damaged",
};

/** A caught error in a few words for a person, those of files and of gzip included. */
export function failureText(error: unknown): string {
  return anyFailureText(error, WORDS);
}
