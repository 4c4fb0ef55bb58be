/**
 * `node tests/bench/clouds.ts [--quick] [--huge] [--rows FILE]`: transfers to OpenStack Swift (S3) and to the tests' server of B2 beside rclone's,
 * in the same sitting: 2 GB up and down in three rounds; S3 on a line with 50 ms round trip and 100 Mbit/s; the memory of a whole
 * backup to S3 and back; with --huge, the memory of 20 GB
 * on each of the four clouds. Prints a table, or writes its rows to FILE as JSON; a missed goal is marked, never an error.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBucket, plainClient } from '../support/s3/destinations.ts';
import { startSwift, swiftKeys, swiftMissing } from '../support/s3/swift.ts';
import { besideRclone } from './beside-rclone.ts';
import { hugeObject, hugeObjects } from './huge-object.ts';
import { cache } from './run-command.ts';
import { withStrictCloud } from './strict-cloud.ts';
import { machine, load, tableOf, type Row } from './table.ts';
import { randomFile, tell, transfer } from './transfer.ts';
import { wholeCommand } from './whole-command.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, huge: { type: 'boolean' }, rows: { type: 'string' } } });
const size = (values.quick === true ? 256 : 2048) * 1024 * 1024;
const rounds = values.quick === true ? 1 : 3;
const repeats = 10;
if (swiftMissing !== '') throw new Error(swiftMissing);
const loadBefore = load();
mkdirSync(cache, { recursive: true });
const source = join(cache, 'clouds.bin');
const part = join(cache, 'clouds-part.bin');
randomFile(source, size);
randomFile(part, size / 8);
const swift = await startSwift();
const bucket = await makeBucket(swift.endpoint);
const s3 = { provider: 's3', endpoint: swift.endpoint, bucket } as const;
const section = {
  ...{ type: 's3', provider: 'Other', endpoint: swift.endpoint, region: 'us-east-1', force_path_style: 'true' },
  ...{ access_key_id: swiftKeys.accessKeyId, secret_access_key: swiftKeys.secretAccessKey },
};

const rows: Row[] = [];
try {
  rows.push(...besideRclone({ name: 'S3', work: s3, section, source, size, rounds }));
  rows.push(...(await overSlowLine(50, 100_000_000)));
  rows.push(...(await b2BesideRclone()));
  rows.push(...wholeCommand({ endpoint: swift.endpoint, bucket }, values.quick === true ? 'quick' : 'full', rounds));
  if (values.huge === true) rows.push(...(await huge()));
} finally {
  swift.stop();
  for (const file of [source, part]) rmSync(file, { force: true });
}
if (values.rows === undefined) tell(`\n${machine(loadBefore)}\n\n${tableOf(rows)}`);
else writeFileSync(values.rows, JSON.stringify(rows));

async function b2BesideRclone(): Promise<readonly Row[]> {
  return await withStrictCloud('backblaze-b2', ({ work, rclone = {} }) =>
    work.provider === 'backblaze-b2' ? besideRclone({ name: 'B2', work, section: rclone, source, size, rounds }) : [],
  );
}

/** Objects large enough that the start of a connection does not decide. */
async function overSlowLine(rttMs: number, rate: number): Promise<readonly Row[]> {
  const line = spawn(process.execPath, [join(import.meta.dirname, 'slow-line.ts'), String(swift.port), String(rttMs), String(rate)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(line.stdout, 'data')) as [Buffer];
  const slow = { ...s3, endpoint: `http://127.0.0.1:${port.toString().trim()}` };
  const found = (['up', 'down'] as const).map((direction): Row => {
    const { seconds, bytes } = transfer(direction, slow, 'slow/object', direction === 'up' ? { file: part } : null);
    const share = (bytes * 8) / rate / seconds;
    return {
      what: `${direction === 'up' ? 'to' : 'from'} S3, ${rttMs} ms round trip, ${rate / 1e6} Mbit/s: line used`,
      ours: `${seconds.toFixed(1)} s`,
      peer: '',
      result: `${(share * 100).toFixed(0)} %`,
      goal: '≥ 90 %',
      met: share >= 0.9,
    };
  });
  line.stdin.end();
  await once(line, 'close');
  return found;
}

/** One after the other: the disk holds one of them at a time. */
async function huge(): Promise<readonly Row[]> {
  const client = plainClient(swift.endpoint);
  for (const key of ['ours/object', 'theirs/object', 'slow/object']) await client.deleteObject({ Bucket: bucket, Key: key });
  client.destroy();
  return [...hugeObject('S3', s3, source, repeats), ...(await hugeObjects(source, repeats))];
}
