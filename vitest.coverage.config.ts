import { defineConfig } from 'vitest/config';

/** The app's unit tests as Node itself loads them, so that V8 measures the sources and not what Vitest makes of them. */
export default defineConfig({
  test: {
    include: ['tests/unit/electron-*.test.ts'],
    globalSetup: ['tests/support/run-folder.ts'],
    pool: 'forks',
    setupFiles: ['tests/support/take-coverage.ts'],
    experimental: { viteModuleRunner: false },
    testTimeout: 60_000,
  },
});
