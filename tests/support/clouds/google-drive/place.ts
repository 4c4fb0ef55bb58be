import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { googleDriveBackend } from '../../../../main/adapters/storage/google-drive/google-drive-backend.ts';
import type { Backend } from '../../../../main/engine/storage/backend.ts';
import { testTokens, type TestTokens } from '../test-tokens.ts';
import { startDriveServer, type DriveServer } from './server.ts';

export interface DrivePlace {
  readonly server: DriveServer;
  readonly tokens: TestTokens;
  /** A backend in a folder that nothing else uses. */
  fresh(options?: { readonly endpoint?: string | undefined; readonly folder?: string }): Backend;
  close(): Promise<void>;
}

/** A Drive server of this process's own with one account. */
export async function openDrivePlace(): Promise<DrivePlace> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-drive-'));
  const tokens = testTokens();
  const server = await startDriveServer({ folder, authority: tokens });
  return {
    server,
    tokens,
    fresh: ({ endpoint = server.endpoint, folder: name = `Bäckups/it's ${randomBytes(6).toString('hex')}` } = {}) =>
      googleDriveBackend({ folder: name }, tokens.source, { endpoint }),
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
