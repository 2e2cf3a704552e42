/** The sample for Kubernetes: whether its API takes it, and its parts and the server fit together. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Deployment } from 'kubernetes-types/apps/v1.js';
import type { HorizontalPodAutoscaler } from 'kubernetes-types/autoscaling/v2.js';
import type { ConfigMap, Secret, Service } from 'kubernetes-types/core/v1.js';
import type { Ingress } from 'kubernetes-types/networking/v1.js';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1.js';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../server/config.ts';
import { removeAtExit } from '../support/program.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FOLDER = path.join(ROOT, 'docs/deploy/kubernetes');
/** The longest that a drain takes (docs/operations.md), in seconds. */
const DRAIN_S = 10;

interface Manifest {
  apiVersion: string;
  kind: string;
}

const manifests = readdirSync(FOLDER).flatMap((name) =>
  parseAllDocuments(readFileSync(path.join(FOLDER, name), 'utf8')).map((document) => document.toJS() as Manifest),
);
const named = <T>(kind: string) => manifests.find((manifest) => manifest.kind === kind) as T;
const deployment = named<Deployment>('Deployment');
const pod = deployment.spec!.template!;
const container = pod.spec!.containers[0]!;

function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'letsapp-kubernetes-'));
  removeAtExit(folder);
  return folder;
}

/** A constant of the type that Kubernetes' own schema gives to what a manifest says it is. */
function declared(manifest: Manifest, name: string): string {
  const { apiVersion, kind } = manifest;
  const group = apiVersion === 'v1' ? 'core/v1' : apiVersion.replace('.k8s.io', '');
  const types = JSON.stringify(path.join(ROOT, 'node_modules/kubernetes-types', group));
  return `export const ${name}: import(${types}).${kind} = ${JSON.stringify(manifest)};`;
}

it('is of the types of Kubernetes, without a field that they do not have', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'manifests.ts');
  const misspelt = { ...deployment, spec: { ...deployment.spec, minReadySecond: 1 } } as unknown as Manifest;
  const lines = manifests.map((manifest, i) => declared(manifest, `manifest${i}`));
  writeFileSync(file, [...lines, '// @ts-expect-error: so that this can fail', declared(misspelt, 'wrong')].join('\n'));
  const tsc = path.join(ROOT, 'node_modules/.bin/tsc');
  const options = ['--noEmit', '--strict', '--ignoreConfig', '--module', 'preserve', '--types', ''];
  const { stdout } = await promisify(execFile)(tsc, [...options, file]).catch((error) => error);
  expect(stdout).toBe('');
  expect(manifests.map(({ kind }) => kind).sort()).toEqual([
    'ConfigMap',
    'Deployment',
    'HorizontalPodAutoscaler',
    'Ingress',
    'PodDisruptionBudget',
    'Secret',
    'Service',
  ]);
});

it('has settings that the server takes, and secrets where they say', () => {
  const folder = temporaryFolder();
  const mounted = container.volumeMounts!.find(({ name }) => name === 'secrets')!.mountPath;
  for (const [key, value] of Object.entries(named<Secret>('Secret').stringData!)) {
    writeFileSync(path.join(folder, key), value);
  }
  const settings = Object.entries(named<ConfigMap>('ConfigMap').data!).map(([name, value]) => [
    name,
    value.replace(mounted, folder),
  ]);
  const config = readConfig({ NODE_ENV: 'production', ...Object.fromEntries(settings) });
  expect(config).toMatchObject({ trustProxy: true, publicUrl: 'https://chat.example.org' });
  const { jwtSecret, mongodbUrl, redisUrls, metricsToken } = config;
  for (const secret of [jwtSecret, mongodbUrl, redisUrls[0], metricsToken]) expect(secret).toBeTruthy();
  expect(pod.spec!.volumes!.find(({ name }) => name === 'secrets')!.secret!.secretName).toBe('letsapp');
  expect(container.envFrom).toEqual([{ configMapRef: { name: 'letsapp' } }]);
});

it('has parts that find each other', () => {
  const labels = pod.metadata!.labels!;
  const service = named<Service>('Service');
  const backend = named<Ingress>('Ingress').spec!.rules![0]!.http!.paths[0]!.backend.service!;
  expect(deployment.spec!.selector.matchLabels).toEqual(labels);
  expect(named<PodDisruptionBudget>('PodDisruptionBudget').spec!.selector!.matchLabels).toEqual(labels);
  expect(service.spec!.selector).toEqual(labels);
  expect(container.ports![0]!.name).toBe(service.spec!.ports![0]!.targetPort);
  expect([backend.name, backend.port!.name]).toEqual([service.metadata!.name, service.spec!.ports![0]!.name]);
  const { kind, name } = named<HorizontalPodAutoscaler>('HorizontalPodAutoscaler').spec!.scaleTargetRef;
  expect([kind, name]).toEqual(['Deployment', deployment.metadata!.name]);
});

it('gives a node the time to drain before its end, and to begin', () => {
  const wait = Number(container.lifecycle!.preStop!.exec!.command![1]);
  expect(pod.spec!.terminationGracePeriodSeconds).toBeGreaterThan(wait + DRAIN_S);
  expect(deployment.spec!.strategy!.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
  const { readinessProbe, livenessProbe, startupProbe } = container;
  const paths = [readinessProbe, livenessProbe, startupProbe].map((probe) => probe!.httpGet!.path);
  expect(paths).toEqual(['/readyz', '/healthz', '/healthz']);
});

it('runs the server read-only, as a user without privileges', () => {
  expect(pod.spec).toMatchObject({ automountServiceAccountToken: false });
  expect(pod.spec!.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
  expect(container.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});
