/** A picture of somebody, or the first letters of the name on a colour of its own. */
import { useBytes } from '../media.ts';

const HUES = 12;

export function Avatar({
  name,
  picture,
  isOnline = false,
  size = 44,
}: {
  name: string;
  picture?: string | null | undefined;
  isOnline?: boolean;
  size?: number;
}) {
  const url = useBytes(picture ? `/media/${picture}/thumbnail` : undefined);
  return (
    <span class={`avatar avatar--${hueOf(name)} avatar--${size}`} aria-hidden="true">
      {url ? <img src={url} alt="" /> : lettersOf(name)}
      {isOnline && <span class="avatar__online" />}
    </span>
  );
}

function lettersOf(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? '');
  return letters.join('').toUpperCase() || '?';
}

function hueOf(name: string): number {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)!) % 9973;
  return sum % HUES;
}
