import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/global.mjs'],
    // The addon and libsql live in the process; a crash must not take the other files' tests along.
    pool: 'forks',
    // More than cores: many wait for processes and clocks most of their time.
    maxWorkers: 3,
    // Many tests start processes, and an instrumented or busy machine is slow at that.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: 'v8', include: ['src/**/*.ts'] },
  },
});
