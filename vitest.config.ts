import { defineConfig } from 'vitest/config';
import { SpreadLongest } from './test/support/spread-longest.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'server/**/*.test.ts', 'shared/**/*.test.ts'],
    globalSetup: 'test/support/setup.ts',
    // A slow machine, or a busy one, takes many times as long as a quiet one.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes late there; the default is one second.
    expect: { poll: { timeout: 20_000 } },
    // More than two cores, because tests wait for timers for much of their time. Not by the number of cores: each starts
    // servers of its own, and tests that are too many at once only wait for each other.
    maxWorkers: 4,
    sequence: { sequencer: SpreadLongest },
    // The files of a worker share its modules and servers (`sharedServer`): each loading them anew would be a third of
    // the time that all take.
    isolate: false,
  },
});
