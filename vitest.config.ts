import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'server/**/*.test.ts', 'shared/**/*.test.ts'],
    globalSetup: 'test/support/setup.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes late on a busy machine; the default is one second.
    expect: { poll: { timeout: 10_000 } },
    // Every file starts servers of its own: more at once than cores only makes them slow.
    maxWorkers: 3,
    // The files of a worker share its modules and servers (`sharedServer`): each loading them anew would be a third of
    // the time that all take.
    isolate: false,
  },
});
