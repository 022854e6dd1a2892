import type { BegunReplay } from "../data/answers.ts";

export type Windows = BegunReplay["windows"];

/** Those that are not as the archive has them. */
export const differing = ({ changed, missing, short, unarchived }: Windows): number =>
  changed + missing + short + unarchived;

/** Those that a replay writes. */
export const toWrite = ({ changed, missing }: Windows): number => changed + missing;

/** Those that want a person: the archive has lost something. */
export const lost = ({ short, unarchived }: Windows): number => short + unarchived;
