export type Option<T extends string> = readonly [value: T, text: string];

export interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly Option<T>[];
  /** More of them, under a heading each. */
  readonly groups?: readonly (readonly [heading: string, options: readonly Option<T>[]])[];
  readonly isLabelHidden?: boolean;
  readonly class?: string;
  readonly onChange: (value: T) => void;
}

/** One of several, as the platform chooses: by mouse, finger, keyboard and voice. */
export function Choice<T extends string>({
  label,
  value,
  options,
  groups = [],
  isLabelHidden,
  class: className = "",
  onChange,
}: ChoiceProps<T>) {
  return (
    <label class={`choice ${className}`}>
      <span class={isLabelHidden ? "visually-hidden" : "choice-label"}>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map(optionOf)}
        {groups.map(([heading, of]) => (
          <optgroup key={heading} label={heading}>
            {of.map(optionOf)}
          </optgroup>
        ))}
      </select>
    </label>
  );
}

function optionOf<T extends string>([value, text]: Option<T>) {
  return (
    <option key={value} value={value}>
      {text}
    </option>
  );
}
