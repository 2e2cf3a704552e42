import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, and does not look like it by its size, which Vitest goes by otherwise. */
const LONGEST =
  /\/test\/(chaos|examples|load|inbox\/replica|app\/start|presence\/nodes|gateway\/drain|bus\/redis-outage)/;

/** Begins with the longest test files, so that none is left to run alone at the end. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.test(moduleId);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}
