import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../main/adapters/compute/scan/scanner.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { uploadBytes } from '../../main/engine/storage/upload-object.ts';
import { keysOf, world as realEngine, type World } from '../support/engine-on-memory.ts';
import { settle } from '../support/fake-clock.ts';
import { serviceWorld, type ServiceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

const never = new AbortController().signal;
const minute = 60_000;

/** Files as young as those of a test would count as changed once more. */
function laterEngine(): World {
  const later = { clockOffset: 2 * minute };
  return realEngine({ host: { packer: threadPacker(later), scan: threadScan(later) } });
}

async function backup(world: ServiceWorld): Promise<Job> {
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false }, never);
  const job = await ended;
  await settle();
  return job;
}

test('each run looks at the newest snapshot, also one that finds nothing changed', async () => {
  const looked: string[] = [];
  const engine = laterEngine();
  const verify: World['engine']['verify'] = (place, request, run) => {
    looked.push(`${request.snapshot} ${request.quick ? 'quick' : 'full'}`);
    return engine.engine.verify(place, request, run);
  };
  const world = serviceWorld({ folder, engine, host: { engine: { ...engine.engine, verify } } });
  const first = await backup(world);
  await world.clock.advance(10 * minute);
  expect(await backup(world)).toMatchObject({ state: 'done', unchanged: true, snapshot: first.snapshot });
  expect(looked).toEqual([`${first.snapshot} quick`, `${first.snapshot} quick`]);

  const [sums = ''] = (await keysOf(engine.backend)).filter((key) => key.endsWith('.sha256'));
  await uploadBytes(engine.backend, sums, Buffer.from(`${'0'.repeat(64)}  ${sums.slice(sums.lastIndexOf('/') + 1, -'.sha256'.length)}\n`));
  await world.clock.advance(10 * minute);
  expect(await backup(world)).toMatchObject({
    state: 'failed',
    fault: { code: 'corrupt', message: expect.stringContaining(`the newest snapshot, ${first.snapshot}, is not whole`) as string },
  });
});
