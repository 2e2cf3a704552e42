/** A small dialog beside what opened it; on a phone at the foot of the page. */
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import '../styles/popup.css';

/** Between what opened it and the dialog, and between the dialog and the edges of the page, in pixels. */
const GAP = 6;
const EDGE = 8;

export interface PopupProps {
  label: string;
  /** What opened it. */
  anchor: RefObject<HTMLElement | null>;
  onClose(): void;
  children: ComponentChildren;
}

export function Popup({ label, anchor, onClose, children }: PopupProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const opened = dialog.current!;
    const stand = () => anchor.current && place(opened, anchor.current);
    opened.showModal();
    stand();
    addEventListener('resize', stand);
    return () => {
      removeEventListener('resize', stand);
      opened.close();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="popup"
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => target === dialog.current && onClose()}
    >
      {children}
    </dialog>
  );
}

/** Below its anchor where there is room, else above it; never beyond the edges. */
function place(dialog: HTMLDialogElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = dialog;
  const below = at.bottom + GAP;
  const top = below + height <= innerHeight - EDGE ? below : Math.max(EDGE, at.top - GAP - height);
  const left = Math.max(EDGE, Math.min(at.right - width, innerWidth - EDGE - width));
  dialog.style.setProperty('--top', `${top}px`);
  dialog.style.setProperty('--left', `${left}px`);
}
