import { BSONRegExp } from 'bson';

/** What every match of a regular expression begins with. */
export interface LiteralPrefix {
  text: string;
  /** The expression says nothing else. */
  isWhole: boolean;
}

/** The literal prefix of an anchored, case-sensitive regular expression; undefined if it has none. */
export function literalPrefix(operand: unknown): LiteralPrefix | undefined {
  if (!(operand instanceof BSONRegExp)) return undefined;
  const { pattern, options } = operand;
  if (options !== '' || !pattern.startsWith('^') || pattern.includes('|')) return undefined;
  let text = '';
  let at = 1;
  while (at < pattern.length) {
    const escaped = pattern[at] === '\\';
    const char = pattern[escaped ? at + 1 : at];
    if (char === undefined || (escaped ? /[A-Za-z0-9]/ : /[\^$.?*+()[\]{}]/).test(char)) break;
    const next = at + (escaped ? 2 : 1);
    if (/[?*{]/.test(pattern[next] ?? '')) break;
    text += char;
    at = next;
  }
  // A prefix that ends inside a character is not a text: a star behind an emoji, for example.
  if (text === '' || !text.isWellFormed()) return undefined;
  return { text, isWhole: at === pattern.length };
}
