import { NOTHING } from "../text/format.ts";

export interface FactProps {
  readonly name: string;
  /** `null` where nobody can tell. */
  readonly value: string | null;
  readonly note?: string | undefined;
  /** Of what somebody else said. */
  readonly noteLanguage?: "en";
}

/** A number of how things are, within `<dl class="facts">`. */
export function Fact({ name, value, note, noteLanguage }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value ?? NOTHING}
        {note !== undefined && <small lang={noteLanguage}>{note}</small>}
      </dd>
    </div>
  );
}
