/** An on-off setting with its label and a line of explanation. */
import { useId } from 'preact/hooks';

export function Switch({
  label,
  hint,
  isOn,
  onChange,
  disabled = false,
}: {
  label: string;
  hint?: string;
  isOn: boolean;
  onChange(isOn: boolean): void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div class="switch">
      <div class="switch__text">
        <label for={id}>{label}</label>
        {hint && <p id={`${id}-hint`}>{hint}</p>}
      </div>
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-checked={isOn}
        disabled={disabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
    </div>
  );
}
