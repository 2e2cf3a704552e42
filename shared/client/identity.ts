/** Whose client it is: the `sub` of its tokens, which never becomes another's. */
import { claimsOf } from './connection/token.ts';
import { ClientError } from './errors.ts';
import type { TokenSource } from './session/session.ts';

export interface Identity {
  /** A token of the user. @throws ClientError `unauthenticated` for another user's; whatever the app's source throws */
  token(): Promise<string>;
  /** The user's id where it is known; else empty. */
  owner(): string;
}

/** @param onOwner called once, as soon as it is known whose client it is; tokens are given out after it is done */
export function createIdentity(
  getToken: (() => string | Promise<string>) & Pick<TokenSource, 'owner'>,
  onOwner: (owner: string) => Promise<void>,
): Identity {
  let owner: string | undefined;
  let opening: Promise<void> | undefined;
  /** The first token is asked for at once, with or without a connection. */
  let first: Promise<string> | undefined = ask();
  first.catch(() => {});

  function belongsTo(sub: string): Promise<void> {
    if (owner !== undefined && owner !== sub) {
      throw new ClientError({ code: 'unauthenticated', message: 'the token is of another user' });
    }
    owner = sub;
    opening ??= onOwner(sub);
    return opening;
  }

  async function ask(): Promise<string> {
    // A source that knows whose tokens it gives says so without a connection.
    const told = await getToken.owner?.();
    if (told !== undefined) await belongsTo(told);
    const token = await getToken();
    await belongsTo(claimsOf(token).sub ?? '');
    return token;
  }

  return {
    token() {
      const token = first ?? ask();
      first = undefined;
      return token;
    },
    owner: () => owner ?? '',
  };
}
