/** A connection string, and what may be shown of it. */

/** Scheme, user and password, hosts, database. What follows may be secret too. */
const FORM = /^(mongodb(?:\+srv)?:\/\/)(?:([^@/?]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?.*)?$/;

/**
 * @returns its form without what is secret, and what takes secrets out of a text
 * @throws Error with a one-line message where it is no connection string, without quoting it
 */
export function databaseUrl(url: string): { shown: string; discreet(text: string): string } {
  const [, scheme, user, hosts, database] = FORM.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined) {
    throw new Error(
      '--to must be a MongoDB URL, as mongodb://host:27017/letsapp (a password in it is percent-encoded)',
    );
  }
  const password = user?.split(':').slice(1).join(':');
  const secrets = [url, user, password, password && decoded(password)].filter((secret) => secret);
  return {
    shown: `${scheme}${hosts}/${database || 'letsapp'}`,
    discreet: (text) =>
      secrets.reduce<string>((rest, secret) => rest.replaceAll(secret!, '…'), text).replaceAll(/\s*\n\s*/g, ' '),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
