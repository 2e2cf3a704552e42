/** Who a text mentions: the client says so, the server does not read texts. */
import type { Message, PublicUser } from 'letsapp-client';

export type Mentions = NonNullable<Message['mentions']>;

/** The name by which all of a group are mentioned. */
export const EVERYONE = 'everyone';
/** A username behind an `@` that begins a word. */
export const MENTION = /(?<![\p{L}\p{N}@])@([\w.-]{1,32})/gu;
/** The most that a message may name. */
const MOST = 50;

/** A name as it stands in a text: a full stop or a dash behind it may belong to the sentence. */
function readingsOf(name: string): string[] {
  const readings = [name.toLowerCase()];
  while (/[.-]$/.test(readings.at(-1)!)) readings.push(readings.at(-1)!.slice(0, -1));
  return readings;
}

/** @returns the one of some names that stands behind the `@` */
export function nameIn(found: string, names: ReadonlySet<string>): string | undefined {
  return readingsOf(found).find((reading) => names.has(reading));
}

/**
 * @param people those who may be mentioned
 * @returns undefined where nobody is mentioned
 */
export function mentionsIn(text: string, people: readonly PublicUser[], mayEveryone: boolean): Mentions | undefined {
  const ids = new Map(people.map(({ username, _id }) => [username.toLowerCase(), _id]));
  const names = new Set(ids.keys());
  if (mayEveryone) names.add(EVERYONE);
  const found = [...text.matchAll(MENTION)].flatMap(([, name]) => nameIn(name!, names) ?? []);
  const user_ids = [...new Set(found.flatMap((name) => ids.get(name) ?? []))].slice(0, MOST);
  const everyone = mayEveryone && found.includes(EVERYONE);
  if (user_ids.length === 0 && !everyone) return undefined;
  return { ...(user_ids.length > 0 ? { user_ids } : {}), ...(everyone ? { everyone } : {}) };
}

/** What is being written behind an `@` before the caret; undefined where it is no mention. */
export function beginningAt(text: string, caret: number): string | undefined {
  return /(?:^|[^\p{L}\p{N}@])@([\w.-]{0,32})$/u.exec(text.slice(0, caret))?.[1];
}
