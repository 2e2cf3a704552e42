import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, with several programs of its own, and does not look like it by its size, which Vitest goes by. */
const LONGEST =
  /\/test\/(chaos\/(chaos|crash|webhooks)|examples\/example|load\/(load|storm)|inbox\/replica|move\/move|app\/start|presence\/nodes|gateway\/drain|bus\/redis-outage)\./;
/** How many others begin between two of them. */
const BETWEEN = 8;

/**
 * Begins with the longest test files, so that none is left to run alone at the end; but not with all of them at once, which
 * would only wait for each other.
 */
export class SpreadLongest extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.test(moduleId);
    const long = sorted.filter(isLong);
    const others = sorted.filter((file) => !isLong(file));
    const spread = others.flatMap((file, i) => (i % BETWEEN === 0 ? [...long.splice(0, 1), file] : [file]));
    return [...spread, ...long];
  }
}
