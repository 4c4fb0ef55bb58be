/**
 * `npm run bench -- --going-on [--quick]`: a first backup over S3 (OpenStack Swift) that is killed and run again, beside one that nothing ends and beside restic,
 * with the requests and the bytes that all runs together have sent, as a server in between has counted them.
 */
import { spawn } from 'node:child_process';
import { once as happens } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { makeBucket } from '../support/s3/destinations.ts';
import { startS3FaultProxy } from '../support/s3/faults.ts';
import { startSwift, swiftKeys, swiftMissing } from '../support/s3/swift.ts';
import { restic } from './round-trip.ts';
import { cache, fresh, password, root, versionOf } from './run-command.ts';
import { SeriesTree, seriesPlans } from './series-tree.ts';
import { load, machine, tableOf, type Row } from './table.ts';

const quick = process.argv.includes('--quick');
const volumeBytes = quick ? 8 * 2 ** 20 : 64 * 2 ** 20;
/** More than a volume, so that each run finishes one and is killed within another. */
const again = volumeBytes * 1.5;
const mostRuns = 100;

interface Counted {
  readonly requests: number;
  readonly bytes: number;
  readonly kills: number;
}

interface Program {
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const withRestic = versionOf(restic, ['version']) !== null;

/** `most`: bytes that may be sent. */
function rowsOf(what: string, we: Counted, they: Counted | null, most: number | null): readonly Row[] {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
  const ratio = (of: (one: Counted) => number): string => (they === null ? '' : `${(of(we) / of(they)).toFixed(2)} ×`);
  const goal = most === null ? { goal: '', met: null } : { goal: `≤ ${megabytes(most)}`, met: we.bytes <= most };
  return [
    {
      ...{ what: `${what}: requests`, ours: String(we.requests), peer: they === null ? '' : String(they.requests) },
      ...{ result: ratio(({ requests }) => requests), goal: '', met: null },
    },
    {
      ...{ what: `${what}: sent`, ours: megabytes(we.bytes), peer: they === null ? '' : megabytes(they.bytes) },
      ...{ result: ratio(({ bytes }) => bytes), ...goal },
    },
  ];
}

if (swiftMissing !== '') throw new Error(swiftMissing);
const loadBefore = load();
mkdirSync(cache, { recursive: true });
const swift = await startSwift();
/** Told of each piece of a body that comes. */
let onBytes: (bytes: number) => void = () => undefined;
const proxy = await startS3FaultProxy(swift.port, (request) => {
  request.on('data', (piece: Uint8Array) => onBytes(piece.byteLength));
  return null;
});

/** Runs it again and again; `killAfter`: after so many bytes a run is killed, null: that run is let be. */
async function counted(program: Program, killAfter: (run: number) => number | null): Promise<Counted> {
  const [requests, bytes] = [proxy.seen.length, proxy.received()];
  for (let kills = 0; kills < mostRuns; kills += 1) {
    if (!(await isKilled(program, killAfter(kills))))
      return { requests: proxy.seen.length - requests, bytes: proxy.received() - bytes, kills };
  }
  throw new Error(`${program.command[0]} does not come to an end`);
}

async function isKilled({ command, env, cwd }: Program, most: number | null): Promise<boolean> {
  const [name, ...args] = command;
  const child = spawn(name, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let left = most ?? Infinity;
  onBytes = (bytes) => {
    left -= bytes;
    if (left <= 0) child.kill('SIGKILL');
  };
  const told = text(child.stderr);
  const [code, signal] = (await happens(child, 'close')) as [number | null, NodeJS.Signals | null];
  onBytes = () => undefined;
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`${command.join(' ')} failed (${String(code)}):\n${await told}`);
  return signal === 'SIGKILL';
}

try {
  const bucket = await makeBucket(swift.endpoint);
  const tree = fresh('going-on');
  mkdirSync(tree, { recursive: true });
  new SeriesTree(tree, seriesPlans[quick ? 'quick' : 'full']);
  const keys = {
    AWS_ACCESS_KEY_ID: swiftKeys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: swiftKeys.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const ours = (place: string): Program => ({
    command: [
      ...([process.execPath, join(root, 'bin', 'holdfast.js'), 'backup', tree] as const),
      ...['-d', `s3:${bucket}/${place}?endpoint=${proxy.endpoint}`, '--server', 'series', '--volume-size', String(volumeBytes)],
    ],
    env: { ...keys, HOLDFAST_PASSWORD: password, HOLDFAST_STATE_DIR: join(cache, 'state') },
    cwd: root,
  });
  const theirs = async (place: string): Promise<Program> => {
    const repository = { RESTIC_REPOSITORY: `s3:${proxy.endpoint}/${bucket}/${place}`, RESTIC_PASSWORD: password };
    const program = { env: { ...keys, ...repository, RESTIC_CACHE_DIR: fresh('restic-cache') }, cwd: tree };
    await isKilled({ ...program, command: [restic, '-q', 'init'] }, null);
    return { ...program, command: [restic, '-q', 'backup', '.'] };
  };
  const never = (): null => null;
  const atHalf =
    (of: Counted) =>
    (kills: number): number | null =>
      kills === 0 ? of.bytes / 2 : null;

  const whole = await counted(ours('whole'), never);
  const once = await counted(ours('once'), atHalf(whole));
  const often = await counted(ours('often'), () => again);
  const peerWhole = withRestic ? await counted(await theirs('restic-whole'), never) : null;
  const peerOnce = peerWhole === null ? null : await counted(await theirs('restic-once'), atHalf(peerWhole));
  const most = (kills: number): number => 1.1 * whole.bytes + kills * volumeBytes;
  const rows = [
    ...rowsOf('a first backup', whole, peerWhole, null),
    ...rowsOf('killed at half of it, and run again', once, peerOnce, most(1)),
    ...rowsOf(`killed within each volume, ${String(often.kills)} times`, often, null, most(often.kills)),
  ];
  rmSync(join(cache, 'work'), { recursive: true, force: true });
  process.stdout.write(`\n${machine(loadBefore)}\n\n${tableOf(rows)}\n`);
} finally {
  await proxy.close();
  swift.stop();
}
