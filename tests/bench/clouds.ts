/**
 * `node tests/bench/clouds.ts [--quick] [--huge]`: S3 transfers to OpenStack Swift beside rclone's, in the same sitting: 2 GB up and down in
 * three rounds, the parts of a round one after the other; a line with 50 ms round trip and 100 Mbit/s; with --huge, the memory of 20 GB. Prints
 * a table; a missed goal is marked, never an error.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { makeBucket, plainClient } from '../support/s3/destinations.ts';
import { startSwift, swiftKeys, swiftMissing } from '../support/s3/swift.ts';
import { cache, median, root } from './run-command.ts';
import { machine, load, tableOf, type Row } from './table.ts';

interface Transfer {
  /** Of the whole process, its start included. */
  readonly whole: number;
  /** Of the transfer alone. */
  readonly seconds: number;
  readonly bytes: number;
  readonly peakBytes: number;
}

const quick = process.argv.includes('--quick');
const size = (quick ? 256 : 2048) * 1024 * 1024;
const rounds = quick ? 1 : 3;
const repeats = 10;
if (swiftMissing !== '') throw new Error(swiftMissing);
const loadBefore = load();
mkdirSync(cache, { recursive: true });
const source = join(cache, 'clouds.bin');
const part = join(cache, 'clouds-part.bin');
const config = join(cache, 'clouds-rclone.conf');
randomFile(source, size);
randomFile(part, size / 8);
const swift = await startSwift();
const bucket = await makeBucket(swift.endpoint);
writeFileSync(
  config,
  `[remote]\ntype = s3\nprovider = Other\nendpoint = ${swift.endpoint}\nregion = us-east-1\nforce_path_style = true\n` +
    `access_key_id = ${swiftKeys.accessKeyId}\nsecret_access_key = ${swiftKeys.secretAccessKey}\n`,
  { mode: 0o600 },
);

const rows: Row[] = [];
try {
  rows.push(...besideRclone());
  rows.push(...(await overSlowLine(50, 100_000_000)));
  if (process.argv.includes('--huge')) rows.push(...(await huge()));
} finally {
  swift.stop();
  for (const file of [source, part, config]) rmSync(file, { force: true });
}
process.stdout.write(`\n${machine(loadBefore)}\n\n${tableOf(rows)}\n`);

function besideRclone(): readonly Row[] {
  const seconds = { up: [] as number[], down: [] as number[], rcat: [] as number[], cat: [] as number[] };
  const ratios = { up: [] as number[], down: [] as number[] };
  const peaks = { up: 0, down: 0 };
  for (let round = 1; round <= rounds; round++) {
    const work = {
      up: () => ours('up', 'ours/object', source, peaks),
      rcat: () => rclone(['rcat', `remote:${bucket}/theirs/object`], source),
      down: () => ours('down', 'ours/object', null, peaks),
      cat: () => rclone(['cat', `remote:${bucket}/ours/object`], null),
    };
    // Who comes first finds another machine than who comes second.
    const order = round % 2 === 1 ? (['up', 'rcat', 'down', 'cat'] as const) : (['rcat', 'up', 'cat', 'down'] as const);
    for (const name of order) seconds[name].push(work[name]());
    const last = (list: readonly number[]): number => list.at(-1) ?? Number.NaN;
    ratios.up.push(last(seconds.up) / last(seconds.rcat));
    ratios.down.push(last(seconds.down) / last(seconds.cat));
    tell(`round ${round}: up ${last(ratios.up).toFixed(2)} ×, down ${last(ratios.down).toFixed(2)} ×`);
  }
  const beside = (what: string, mine: readonly number[], theirs: readonly number[], ratio: readonly number[]): Row => ({
    what,
    ours: `${median(mine).toFixed(1)} s`,
    peer: `${median(theirs).toFixed(1)} s`,
    result: `${median(ratio).toFixed(2)} ×`,
    goal: '≤ 1 ×',
    met: median(ratio) <= 1,
  });
  return [
    beside(`${gigabytes(size)} to S3 against rclone rcat`, seconds.up, seconds.rcat, ratios.up),
    beside(`${gigabytes(size)} from S3 against rclone cat`, seconds.down, seconds.cat, ratios.down),
    memoryRow(`peak memory, ${gigabytes(size)} to S3`, peaks.up),
    memoryRow(`peak memory, ${gigabytes(size)} from S3`, peaks.down),
  ];
}

/** Objects large enough that the start of a connection does not decide. */
async function overSlowLine(rttMs: number, rate: number): Promise<readonly Row[]> {
  const line = spawn(process.execPath, [join(import.meta.dirname, 'slow-line.ts'), String(swift.port), String(rttMs), String(rate)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(line.stdout, 'data')) as [Buffer];
  const endpoint = `http://127.0.0.1:${port.toString().trim()}`;
  const found = (['up', 'down'] as const).map((direction): Row => {
    const { seconds, bytes } = transfer(direction, 'slow/object', direction === 'up' ? part : null, endpoint);
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

async function huge(): Promise<readonly Row[]> {
  const s3 = plainClient(swift.endpoint);
  for (const key of ['ours/object', 'theirs/object', 'slow/object']) await s3.deleteObject({ Bucket: bucket, Key: key });
  const cats = `for i in $(seq ${repeats}); do cat "$SOURCE"; done`;
  const up = transfer('up', 'huge/object', cats);
  const down = transfer('down', 'huge/object', null);
  if (up.bytes !== size * repeats || down.bytes !== up.bytes) throw new Error(`${down.bytes} bytes came back of ${size * repeats}`);
  return [
    memoryRow(`peak memory, ${gigabytes(up.bytes)} to S3`, up.peakBytes),
    memoryRow(`peak memory, ${gigabytes(down.bytes)} from S3`, down.peakBytes),
  ];
}

function ours(direction: 'up' | 'down', key: string, input: string | null, peaks: Record<'up' | 'down', number>): number {
  const { whole, peakBytes, bytes } = transfer(direction, key, input);
  if (bytes !== size) throw new Error(`${bytes} bytes went ${direction} of ${size}`);
  peaks[direction] = Math.max(peaks[direction], peakBytes);
  return whole;
}

/** `input`: a file, or a script that writes the bytes. */
function transfer(direction: 'up' | 'down', key: string, input: string | null, endpoint = swift.endpoint): Transfer {
  const what = JSON.stringify({ bucket, endpoint, key });
  const words = `"${process.execPath}" "${join(import.meta.dirname, 'clouds-transfer.ts')}" ${direction} '${what}'`;
  const { whole, stdout } = shell(
    input?.startsWith('for ') === true ? `(${input}) | ${words}` : words,
    input?.startsWith('/') === true ? input : null,
  );
  return { whole, ...(JSON.parse(stdout) as Omit<Transfer, 'whole'>) };
}

function rclone(args: readonly string[], input: string | null): number {
  const binary = join(root, '.cache', 'rclone-1.7x', 'usr', 'bin', 'rclone');
  return shell(`env -u AWS_CA_BUNDLE "${binary}" --config "${config}" -q ${args.join(' ')} > /dev/null`, input).whole;
}

function shell(script: string, input: string | null): { readonly whole: number; readonly stdout: string } {
  // What the run before has left unwritten must not slow this one down.
  spawnSync('sync');
  const stdin = input === null ? 'ignore' : openSync(input, 'r');
  const since = performance.now();
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -euo pipefail; ${script}`], {
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
    // As the command itself sets it.
    env: { NODE_COMPILE_CACHE: join(root, '.cache', 'compile'), ...process.env, SOURCE: source },
  });
  const whole = (performance.now() - since) / 1000;
  if (typeof stdin === 'number') closeSync(stdin);
  if (status !== 0) throw new Error(`${script} failed (${String(status)}):\n${stderr}`);
  return { whole, stdout };
}

function memoryRow(what: string, bytes: number): Row {
  const shown = `${(bytes / 1e6).toFixed(0)} MB`;
  return { what, ours: shown, peer: '', result: shown, goal: '≤ 250 MB', met: bytes <= 250e6 };
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function randomFile(path: string, bytes: number): void {
  const file = openSync(path, 'w');
  for (let written = 0; written < bytes;) written += writeSync(file, randomBytes(Math.min(bytes - written, 16 * 1024 * 1024)));
  closeSync(file);
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}
