/** What may stand where people read a name: it is visible, and leaves the text around it alone. */

/** Anything but gaps, what is invisible, and marks without a letter. The last two are a blank and a null note head. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{M}\u2800\u{1D159}]/u;
/** They reverse letters: "gpj.exe" after one reads "exe.jpg". */
const OVERRIDES = /[\u202D\u202E]/;
/** Embeddings (UAX 9, X2 and X3) with what closes them, then isolates (X5a to X5c). */
const PAIRS = [
  { open: '\u202A\u202B', close: '\u202C' },
  { open: '\u2066\u2067\u2068', close: '\u2069' },
];

/**
 * Whether a name shows as something and changes neither its own writing direction nor that of what follows it.
 * Embeddings that are closed again, as phone books copy them, and direction marks are harmless. An empty name is none.
 */
export function isDisplayName(name: string): boolean {
  if (name === '') return true;
  return VISIBLE.test(name) && !OVERRIDES.test(name) && PAIRS.every((pair) => isClosed(name, pair));
}

function isClosed(name: string, { open, close }: { open: string; close: string }): boolean {
  let depth = 0;
  for (const character of name) {
    if (open.includes(character)) depth++;
    else if (character === close) depth = Math.max(depth - 1, 0);
  }
  return depth === 0;
}
