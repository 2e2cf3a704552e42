/** A page beside the conversations: heading, the way back on a phone, content. */
import type { ComponentChildren } from 'preact';
import { go } from '../route.ts';
import { IconButton } from './icon.tsx';

export function Sheet({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="sheet">
      <header class="sheet__head">
        <span class="on-phone">
          <IconButton icon="back" label="Back" onClick={() => go('#/')} />
        </span>
        <h1>{title}</h1>
      </header>
      <div class="sheet__body">{children}</div>
    </main>
  );
}
