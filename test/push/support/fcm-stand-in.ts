/** FCM and Google's tokens, which check what Google's documents ask for. */
import { createPublicKey } from 'node:crypto';
import { jwtVerify } from 'jose';
import { type HttpStandIn, startHttpStandIn } from './http-stand-in.ts';
import { serviceAccount } from './keys.ts';

export interface FcmStandIn extends HttpStandIn {
  /** The tokens that were given out. */
  tokens: HttpStandIn;
  /** What the server is set up with. */
  env: Record<string, string>;
  account: ReturnType<typeof serviceAccount>;
  /** What was wrong with requests for tokens. */
  faults: string[];
}

/** Every token is another one and holds for so many seconds. */
export async function startFcm(expires_in = 3599): Promise<FcmStandIn> {
  const account = serviceAccount();
  const key = createPublicKey(account.private_key);
  const faults: string[] = [];
  let given = 0;
  const tokens = await startHttpStandIn((request, response) => {
    const form = new URLSearchParams(request.body.toString());
    const check = async () => {
      if (request.headers['content-type'] !== 'application/x-www-form-urlencoded') throw new Error('content-type');
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('grant_type');
      const { payload } = await jwtVerify(form.get('assertion')!, key, {
        algorithms: ['RS256'],
        issuer: account.client_email,
        audience: `${tokens.url}/token`,
        maxTokenAge: 60,
      });
      if (payload.scope !== 'https://www.googleapis.com/auth/firebase.messaging') throw new Error('scope');
      if (payload.exp! - payload.iat! > 3600) throw new Error('exp');
    };
    check().then(
      () => response.end(JSON.stringify({ access_token: `ya29.${++given}`, expires_in, token_type: 'Bearer' })),
      (error: unknown) => {
        faults.push(String(error));
        response.writeHead(400).end('{}');
      },
    );
  });
  const sends = await startHttpStandIn((_, response) => {
    response.end(JSON.stringify({ name: `projects/${account.project_id}/messages/1` }));
  });
  return {
    ...sends,
    tokens,
    account,
    faults,
    env: {
      FCM_SERVICE_ACCOUNT: JSON.stringify(account),
      FCM_URL: sends.url,
      FCM_TOKEN_URL: `${tokens.url}/token`,
    },
    async close() {
      await Promise.all([sends.close(), tokens.close()]);
    },
  };
}

/** An error as FCM answers it. */
export const fcmError = (status: number, errorCode: string) => ({
  status,
  body: {
    error: {
      code: status,
      status: 'NOT_FOUND',
      details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }],
    },
  },
});
