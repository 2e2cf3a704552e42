/** What the project is installed and deployed by: the lockfile, the image and the sample for Docker Compose. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const read = (file: string) => readFileSync(path.join(import.meta.dirname, '../..', file), 'utf8');

interface Service {
  image?: string;
  user?: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  privileged?: boolean;
  security_opt?: string[];
  healthcheck?: { test: string[] };
  tmpfs?: string[];
  volumes?: string[];
  ports?: string[];
  restart?: string;
}

const services = Object.entries(
  (parse(read('compose.yaml'), { merge: true }) as { services: Record<string, Service> }).services,
);

describe('each container of compose.yaml', () => {
  it.each(services)('%s is read-only, and without privileges', (_name, service) => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    expect(service.user).toMatch(/^(?!root)[a-z]+$/);
    expect([service.cap_add, service.privileged]).toEqual([undefined, undefined]);
  });

  it.each(services.filter(([, { restart }]) => restart !== 'no'))('%s has its health checked', (_name, service) => {
    // The image of the server brings its own.
    const test = service.image ? service.healthcheck?.test[0] : /^HEALTHCHECK .*/m.exec(read('Dockerfile'))?.[0];
    expect(test).toMatch(/^(CMD|HEALTHCHECK)/);
  });

  it('of the load balancer alone can be reached from outside, and does not pass the metrics on', () => {
    expect(services.filter(([, { ports }]) => ports).map(([name]) => name)).toEqual(['load-balancer']);
    expect(read('docs/deploy/haproxy.cfg')).toMatch(
      /^ {2}http-request return status 404 .* path,url_dec .* \/metrics \}$/m,
    );
  });
});

it('the image runs the server as a user without privileges, who owns the data folder alone', () => {
  const image = read('Dockerfile')
    .split(/^FROM /m)
    .at(-1)!;
  expect(image.match(/^USER .*/gm)).toEqual(['USER 1000:1000']);
  expect(image.match(/chown.*/g)).toEqual(['chown node:node /data']);
  expect(image).toMatch(/^VOLUME \/data$/m);
});

it('every package of the lockfile has its integrity (else: node .ci/integrity.mjs)', () => {
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { link?: true; integrity?: string }>;
  };
  const installed = Object.entries(lock.packages).filter(([at, { link }]) => at.includes('node_modules/') && !link);
  expect(installed.length).toBeGreaterThan(100);
  const lacking = installed.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''));
  expect(lacking.map(([at]) => at)).toEqual([]);
});
