import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { describeBackend } from './suite.ts';

describeBackend('folder', async () => {
  const base = await mkdtemp(join(tmpdir(), 'holdfast-folder-'));
  return { backend: folderBackend(join(base, 'made', 'on demand')), close: () => rm(base, { recursive: true }) };
});
