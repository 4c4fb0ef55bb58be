import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { buildApp } from '../../scripts/build-app.ts';

/** Builds the app for the tests that follow in a `describe`, in a folder that goes with them: other files' tests build it at the same time. Gives the folder. */
export function builtApp(): string {
  const folder = join(import.meta.dirname, '..', '..', 'dist', `app-of-test-${String(process.pid)}`);
  beforeAll(() => buildApp(folder));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
