import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, with several programs of its own, and does not look like it by its size, which Vitest goes by. */
const LONGEST = [
  'packages/packages',
  'push/end-to-end',
  'client-kit/kit',
  'operate/rolling-restart',
  'move/move',
  'push/messages',
  'app/start',
  'chaos/chaos',
  'operator/keys',
  'doctor/doctor',
  'media/image-turns',
  'generated-client/client',
  'browser/web',
  'load/load',
  'examples/integrate',
  'browser/web-richer',
  'gateway/drain',
  'backup/backup',
  'examples/example',
  'presence/nodes',
  'chaos/webhooks',
  'inbox/replica',
  'bus/redis-outage',
  'load/storm',
  'chaos/crash',
].map((name) => `/test/${name}.test.ts`);
/** How many others begin between two of them. */
const BETWEEN = 8;

/**
 * Begins with the longest test files, so that none is left to run alone at the end; but not with all of them at once, which
 * would only wait for each other.
 */
export class SpreadLongest extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.some((name) => moduleId.endsWith(name));
    const long = sorted.filter(isLong);
    const others = sorted.filter((file) => !isLong(file));
    const spread = others.flatMap((file, i) => (i % BETWEEN === 0 ? [...long.splice(0, 1), file] : [file]));
    return [...spread, ...long];
  }
}
