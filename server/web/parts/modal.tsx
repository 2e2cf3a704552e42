/** A dialog above the page: focus stays in it, Escape closes it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { IconButton } from './icon.tsx';

export function Modal({
  label,
  onClose,
  kind = 'dialog',
  children,
}: {
  label: string;
  onClose(): void;
  kind?: 'dialog' | 'alertdialog';
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const opened = dialog.current!;
    opened.showModal();
    return () => opened.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="modal"
      role={kind}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => target === dialog.current && onClose()}
    >
      <div class="modal__content">{children}</div>
    </dialog>
  );
}

/** The title of a dialog, and what closes it. */
export function ModalHead({ title, onClose }: { title: string; onClose(): void }) {
  return (
    <div class="modal__head">
      <h2>{title}</h2>
      <IconButton icon="close" label="Close" onClick={onClose} />
    </div>
  );
}

/** Asks before something that cannot be undone. */
export function Confirm({
  question,
  action,
  onConfirm,
  onClose,
}: {
  question: string;
  action: string;
  onConfirm(): void;
  onClose(): void;
}) {
  return (
    <Modal label={question} kind="alertdialog" onClose={onClose}>
      <p class="modal__question">{question}</p>
      <div class="modal__buttons">
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          class="button button--danger"
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </button>
      </div>
    </Modal>
  );
}
