import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { b2Backend } from '../../main/adapters/storage/backblaze-b2/b2-backend.ts';
import { startB2Server, type B2Server } from '../support/clouds/backblaze-b2/server.ts';
import { describeBackend } from './suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-b2-'));
let server: B2Server | undefined;
let places = 0;

beforeAll(async () => {
  server = await startB2Server({ folder });
  server.addBucket('holdfast-tests');
});
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describeBackend('backblaze-b2', async () => {
  if (server === undefined) throw new Error('no server');
  const settings = { bucket: 'holdfast-tests', prefix: `place-${++places}` };
  return { backend: b2Backend(settings, server.addKey({ buckets: ['holdfast-tests'] }), { endpoint: server.endpoint }) };
});

test('no upload URL served two uploads at once, or one after it had failed', () => {
  expect(server?.misuses).toEqual([]);
});
