/** The one object that counts anew from the archive. */
export const REPLAYER = "replayer";
