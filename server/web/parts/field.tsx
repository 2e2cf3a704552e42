import type { InputHTMLAttributes, TextareaHTMLAttributes } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

type Props = InputHTMLAttributes<HTMLInputElement> & { label: string; hint?: string | undefined };

/** A text field with its label above. */
export function Field({ label, hint, ...input }: Props) {
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  // Browsers do it by themselves for the first field of a page alone.
  useEffect(() => {
    if (input.autoFocus) field.current?.focus();
  }, []);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        ref={field}
        id={id}
        autoCapitalize="none"
        spellcheck={false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        {...input}
      />
      {hint && (
        <p class="field__hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** A field for several lines. */
export function LongField({ label, ...field }: TextareaHTMLAttributes<HTMLTextAreaElement> & { label: string }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea id={id} dir="auto" {...field} />
    </div>
  );
}
