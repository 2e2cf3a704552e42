/** The names that clients give their uploads. */
import { invalid } from '../../lib/errors.ts';

/** Characters (PROTOCOL section 9). */
const MAX_LENGTH = 255;
/** Replaces a name of which nothing is left. */
const NAMELESS = 'file';
/**
 * Control characters, line and paragraph separators, and characters that change the writing direction, which make
 * `cod<U+202E>gpj.exe` look like a picture.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Cleans a name: keeps the last part of a path of any system, without control characters.
 * @throws ContractError `validation_failed` above 255 characters
 */
export function cleanFilename(name: string): string {
  const last = name.toWellFormed().split(/[/\\]/).at(-1)!;
  const cleaned = last.replaceAll(CONTROLS, '').trim();
  if ([...cleaned].length > MAX_LENGTH) throw invalid('original_filename', `is longer than ${MAX_LENGTH} characters`);
  return /^\.*$/.test(cleaned) ? NAMELESS : cleaned;
}

/**
 * The name in the `Content-Disposition` of a part. `filename*` takes precedence over `filename`, wherever it stands
 * (RFC 6266, section 4.3): clients repeat in it a name that the other can hold only in part.
 * @param parameters of the header, each byte a character
 */
export function filenameIn(parameters: Map<string, string>): string | undefined {
  const plain = parameters.get('filename');
  return decodeExtended(parameters.get('filename*') ?? '') || (plain && decodePlain(plain));
}

/** `charset'language'name` with escaped bytes (RFC 8187); some clients quote it. @returns undefined for anything else */
function decodeExtended(value: string): string | undefined {
  const [, charset, encoded] = /^([\w-]+)'[^']*'(.*)$/s.exec(value) ?? [];
  if (charset === undefined) return undefined;
  const bytes = encoded!.replaceAll(/%([\da-f]{2})/gi, (_, code: string) => fromCode(code));
  try {
    return new TextDecoder(charset).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    // An unknown charset.
    return undefined;
  }
}

/** Browsers write UTF-8, and escape quotes and line breaks (HTML, multipart/form-data encoding algorithm). */
function decodePlain(value: string): string {
  const name = Buffer.from(value, 'latin1').toString();
  return name.replaceAll(/%(22|0D|0A)/g, (_, code: string) => fromCode(code));
}

function fromCode(code: string): string {
  return String.fromCharCode(Number.parseInt(code, 16));
}
