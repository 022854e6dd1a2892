/** A change of a source file as it is loaded, by a text that stands in it once. */
export interface SourceEdit {
  /** Path from the project's folder. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** The source with the edit made. Throws unless its text stands there exactly once: an edit that does nothing would prove nothing. */
export function edited(source: string, { file, find, replace }: SourceEdit): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`"${find}" stands ${parts.length - 1} times in ${file}, not once`);
  return parts.join(replace);
}
