/** Folds a text for comparison: compatibility forms decomposed (NFKD), combining marks removed, lower case. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}
