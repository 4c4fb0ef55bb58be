import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { b2Backend } from '../../../../main/adapters/storage/backblaze-b2/b2-backend.ts';
import type { B2Keys } from '../../../../main/adapters/storage/backblaze-b2/settings.ts';
import type { Backend } from '../../../../main/engine/storage/backend.ts';
import { startB2Server, type B2Server } from './server.ts';

export const testBucket = 'holdfast-tests';

export interface B2Place {
  readonly server: B2Server;
  /** An empty place in the bucket, by a key of its own or `keys`, at `endpoint` when a proxy stands before the server. */
  fresh(options?: { readonly keys?: B2Keys; readonly endpoint?: string | undefined; readonly prefix?: string }): Backend;
  close(): Promise<void>;
}

/** A server of B2 with one bucket, its bytes in a temporary folder. */
export async function openB2Place(): Promise<B2Place> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-b2-'));
  const server = await startB2Server({ folder });
  server.addBucket(testBucket);
  let places = 0;
  return {
    server,
    fresh: ({ keys = server.addKey({ buckets: [testBucket] }), endpoint = server.endpoint, prefix = `place-${++places}` } = {}) =>
      b2Backend({ bucket: testBucket, prefix }, keys, { endpoint }),
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
