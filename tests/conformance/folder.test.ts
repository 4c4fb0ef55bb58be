import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import { randomChaos, type RandomChaos } from '../support/chaos.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { describeBackend, type Subject } from './suite.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';

async function fresh(around: (folder: Backend) => Backend = (folder) => folder): Promise<Subject> {
  const base = await mkdtemp(join(tmpdir(), 'holdfast-folder-'));
  return { backend: around(folderBackend(join(base, 'made', 'on demand'))), close: () => rm(base, { recursive: true }) };
}

describeBackend('folder', () => fresh());

let seed = 0;
const troubles: RandomChaos[] = [];

/** Every layer, in real time, over a folder of which three of ten calls fail. */
describeBackend(
  'folder under the whole stack',
  () =>
    fresh((folder) => {
      const trouble = randomChaos({ seed: ++seed, rate: 0.3, inRealTime: true });
      troubles.push(trouble);
      return standardStack(trouble.layer(folder), {
        clock: systemClock,
        random: seededRandom(seed),
        timeout: { idleMs: 2_000, slowestBytesPerSecond: 3_000_000, completeMs: 4_000 },
        retry: { attempts: 40, totalMs: 600_000, baseMs: 2, capMs: 20 },
      }).backend;
    }),
  { resumesReads: true, manyKeys: 60 },
);

test('calls of every verb were struck', () => {
  const verbs = new Set(troubles.flatMap((one) => [...one.struck().keys()]).map((name) => name.split(' ')[0]));
  expect([...verbs].sort()).toEqual([
    'abandon',
    'abort',
    'beginUpload',
    'complete',
    'list',
    'openUploads',
    'read',
    'remove',
    'stat',
    'writePart',
  ]);
});
