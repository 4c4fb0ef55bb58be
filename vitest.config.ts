import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/tests/longest-first.ts';

// Worker threads load their sources by Node itself, whatever Vitest does, and a test file starts hundreds of them: with the cache that the
// command has, too, a thread costs 50 ms of processor time and not 150.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '.cache', 'compile');

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    globalSetup: ['tests/support/run-folder.ts'],
    // Processes, not threads: tests change the working folder and the umask, and the native zstd module is loaded afresh.
    pool: 'forks',
    // Against what hangs, and nothing else: under load on two cores a test takes five times as long as by itself.
    testTimeout: 600_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    // Property tests and child processes of the command share this machine's cores already.
    fileParallelism: true,
    // Vitest leaves one core to itself, which would be half of a small machine; and much of the time tests wait: for the disk, for what a limit lets through, for each other.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    sequence: { sequencer: LongestFirst },
    restoreMocks: true,
  },
});
