import {
  type Environment,
  readInteger,
  readList,
  readSwitch,
  readText,
  readUrl,
  SECRET_EXAMPLE,
  wrongSetting,
} from '../lib/environment.ts';

const MIN_KEY_LENGTH = 32;

/** Where the server listens, and who may reach it from where. */
export function readNetwork(env: Environment) {
  return {
    host: readText(env, 'HOST') ?? '127.0.0.1',
    port: readInteger(env, 'PORT', 3000, 0, 65_535),
    trustProxy: readSwitch(env, 'TRUST_PROXY', 'off'),
    corsOrigins: readList(env, 'CORS_ORIGINS').map(asOrigin),
    publicUrl: readPublicUrl(env),
    metricsToken: readBearer(env, 'METRICS_TOKEN'),
    apiKey: readApiKey(env),
    webClient: readSwitch(env, 'WEB_CLIENT', 'on'),
  };
}

/** Accepts origins as browsers write them: of the web, and of apps built from pages (`capacitor://localhost`). */
function asOrigin(text: string): string {
  const isOrigin = /^https?:/.test(text)
    ? URL.canParse(text) && new URL(text).origin === text
    : /^[a-z][a-z\d+.-]*:\/\/[\w.-]+(:\d+)?$/.test(text);
  if (!isOrigin) {
    const problem = `must be origins, a scheme and a host without a path, separated by commas, not "${text}"`;
    throw wrongSetting('CORS_ORIGINS', problem, 'https://app.example.org');
  }
  return text;
}

function readPublicUrl(env: Environment): string | undefined {
  const url = readUrl(env, 'PUBLIC_URL', ['http:', 'https:']);
  if (url !== undefined && /[?#]/.test(url)) {
    const problem = 'must have neither a query nor a fragment: paths are appended to it';
    throw wrongSetting('PUBLIC_URL', problem, 'https://chat.example.org');
  }
  return url?.replace(/\/+$/, '');
}

/** What can be sent as a bearer (RFC 6750, section 2.1). */
function readBearer(env: Environment, name: string): string | undefined {
  const token = readText(env, name);
  if (token === undefined || /^[\w.~+/-]+=*$/.test(token)) return token;
  throw wrongSetting(name, 'must consist of letters, digits and -._~+/, with = at the end alone', SECRET_EXAMPLE);
}

function readApiKey(env: Environment): string | undefined {
  const key = readBearer(env, 'API_KEY');
  if (key === undefined || key.length >= MIN_KEY_LENGTH) return key;
  throw wrongSetting('API_KEY', `must have at least ${MIN_KEY_LENGTH} characters`, SECRET_EXAMPLE);
}
