import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dropboxBackend } from '../../../../main/adapters/storage/dropbox/dropbox-backend.ts';
import type { Backend } from '../../../../main/engine/storage/backend.ts';
import { testTokens, type TestTokens } from '../test-tokens.ts';
import { startDropboxServer, type DropboxServer } from './server.ts';

export interface DropboxPlace {
  readonly server: DropboxServer;
  readonly tokens: TestTokens;
  /** A backend in a folder that nothing else uses. */
  fresh(options?: { readonly endpoint?: string | undefined; readonly folder?: string }): Backend;
  close(): Promise<void>;
}

/** A Dropbox server of this process's own with one account. */
export async function openDropboxPlace(): Promise<DropboxPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-dropbox-'));
  const tokens = testTokens();
  const server = await startDropboxServer({ folder, authority: tokens });
  return {
    server,
    tokens,
    fresh: ({ endpoint = server.endpoint, folder: name = `Bäckups ${randomBytes(6).toString('hex')}` } = {}) =>
      dropboxBackend({ folder: name }, tokens.source, { endpoint }),
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
