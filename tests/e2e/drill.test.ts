import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import type { Job } from '../../main/contract/jobs.ts';
import type { Notice } from '../../main/contract/notices.ts';
import { startReceiver } from '../support/receivers.ts';
import { filesIn, ServiceHome } from '../support/service-process.ts';

test('a test restore of a damaged snapshot fails, is told of, and leaves nothing; what a killed one left goes at the next start', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const home = new ServiceHome();
  const scratch = join(home.base, 'scratch');
  const env = { HOLDFAST_SCRATCH_DIR: scratch };
  writeFileSync(join(home.folder, 'level.dat'), randomBytes(100_000));
  await home.setUp();
  await home.json(['notice', 'add', 'hook', 'webhook', '--no-test'], { HOLDFAST_NOTICE_SECRET: `${receiver.address}/hook` });
  await home.json(['server', 'backup', 'survival']);
  expect(await home.json(['server', 'drill', 'survival'], env)).toMatchObject({ state: 'done', files: 1 });
  expect(readdirSync(scratch)).toEqual([]);

  const [archive = ''] = filesIn(home.place).filter((path) => path.endsWith('.holdfast'));
  const bytes = readFileSync(archive);
  const at = bytes.byteLength >> 1;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(archive, bytes);
  const failed = await home.run(['server', 'drill', 'survival', '--json'], env);
  expect(failed.code).not.toBe(0);
  const [job] = (await home.json(['server', 'jobs'])) as Job[];
  expect(job).toMatchObject({ kind: 'drill', state: 'failed', fault: { code: 'corrupt' } });
  await receiver.arrived(1);
  expect(JSON.parse(receiver.got[0]?.body ?? '') as Notice).toMatchObject({ kind: 'drill-failed', server: 'survival', fault: 'corrupt' });
  expect(readdirSync(scratch)).toEqual([]);

  const own = home.own().split('/').at(-1) ?? '';
  const [left, another] = [join(scratch, `holdfast-drill-${own}-left`), join(scratch, 'holdfast-drill-service-another-left')];
  for (const folder of [left, another]) {
    mkdirSync(join(folder, 'restored'), { recursive: true });
    writeFileSync(join(folder, 'restored', 'level.dat'), 'blocks');
  }
  const service = await home.start(env);
  await expect.poll(() => existsSync(left)).toBe(false);
  expect(existsSync(another)).toBe(true);
  await service.stop();
});
