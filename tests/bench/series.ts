/**
 * `npm run bench -- --series [--quick]`: a server over ten changes, backed up after each, beside restic on the same tree: what is stored, how long
 * it takes, an unchanged run, the newest brought back; to a folder, and to OpenStack Swift (S3) with the number of requests.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareTrees } from '../../scripts/try/compare.ts';
import { makeBucket, plainClient } from '../support/s3/destinations.ts';
import { startSwift, swiftKeys, swiftMissing } from '../support/s3/swift.ts';
import { restic } from './round-trip.ts';
import { cache, fresh, freshDestination, holdfast, password, run } from './run-command.ts';
import { SeriesTree, seriesPlans } from './series-tree.ts';
import { load, machine, tableOf, type Row } from './table.ts';

const changes = 10;
const plan = seriesPlans[process.argv.includes('--quick') ? 'quick' : 'full'];
const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** Where a program stores, and what is known about that. */
interface Place {
  readonly name: string;
  backup(): number;
  restore(target: string): number;
  stored(): Promise<number>;
}

interface Sums {
  first: number;
  changes: number;
  unchanged: number;
  restore: number;
  stored: number;
  requests: number | null;
}

function ours(tree: string, destination: string, stored: () => Promise<number>, env: Readonly<Record<string, string>> = {}): Place {
  const access = ['-d', destination, '--server', 'series'];
  return {
    name: 'Holdfast',
    backup: () => holdfast(['backup', tree, ...access], cache, env).seconds,
    restore: (target) => holdfast(['restore', 'latest', ...access, '--target', target], cache, env).seconds,
    stored,
  };
}

function theirs(tree: string, repository: string, stored: () => Promise<number>, keys: Readonly<Record<string, string>> = {}): Place {
  const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: fresh('restic-cache'), ...keys };
  run(restic, ['-q', 'init'], env);
  return {
    name: 'restic',
    backup: () => run(restic, ['-q', 'backup', '.'], env, tree).seconds,
    restore: (target) => run(restic, ['-q', 'restore', 'latest', '--target', target], env).seconds,
    stored,
  };
}

/** Both do the same work on the same tree, one after the other, after each change. */
async function series(places: readonly Place[], requests: (() => Promise<number>) | null): Promise<readonly Sums[]> {
  const folder = fresh('series');
  const tree = new SeriesTree(folder, plan);
  const sums = places.map((): Sums => ({
    first: 0,
    changes: 0,
    unchanged: 0,
    restore: 0,
    stored: 0,
    requests: requests === null ? null : 0,
  }));
  const each = async (work: (place: Place, sum: Sums) => void | Promise<void>): Promise<void> => {
    for (const [index, place] of places.entries()) {
      const sum = sums[index];
      if (sum === undefined) continue;
      await requests?.();
      await work(place, sum);
      if (requests !== null) sum.requests = (sum.requests ?? 0) + (await requests());
    }
  };
  // What is younger than a minute is read once more by us, and would be by anybody who looks at stamps with care.
  await sleep(62_000);
  await each((place, sum) => void (sum.first = place.backup()));
  for (let step = 1; step <= changes; step += 1) {
    tree.change(step);
    await each((place, sum) => void (sum.changes += place.backup()));
  }
  await sleep(62_000);
  // The one that takes in what was too young to be trusted.
  await each((place) => void place.backup());
  await each((place, sum) => void (sum.unchanged = place.backup()));
  const targets: string[] = [];
  await each(async (place, sum) => {
    const target = fresh(`series-${place.name}`);
    targets.push(target);
    sum.restore = place.restore(target);
    sum.stored = await place.stored();
    const { differences } = compareTrees(folder, target);
    if (differences.length > 0) throw new Error(`${place.name} brought back something else: ${differences.slice(0, 3).join(', ')}`);
  });
  for (const target of [...targets, folder]) rmSync(target, { recursive: true });
  return sums;
}

function rows(where: string, [we, they]: readonly Sums[]): readonly Row[] {
  if (we === undefined || they === undefined) return [];
  const row = (what: string, of: (sums: Sums) => number, unit: (value: number) => string, goal: number | null): Row => {
    const ratio = of(we) / of(they);
    return {
      ...{ what: `${where}: ${what}`, ours: unit(of(we)), peer: unit(of(they)), result: `${ratio.toFixed(2)} ×` },
      ...(goal === null ? { goal: '', met: null } : { goal: `≤ ${String(goal)} ×`, met: ratio <= goal }),
    };
  };
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  return [
    row(
      'bytes stored',
      ({ stored }) => stored,
      (value) => `${(value / 1e6).toFixed(0)} MB`,
      1.1,
    ),
    row('first backup and ten after changes', (sums) => sums.first + sums.changes, seconds, 0.8),
    row('of these the ten', (sums) => sums.changes, seconds, null),
    row('unchanged run', ({ unchanged }) => unchanged, seconds, 1),
    row('restore of the newest', ({ restore }) => restore, seconds, 0.8),
    ...(we.requests === null ? [] : [row('requests', ({ requests }) => requests ?? 0, String, null)]),
  ];
}

function bytesBelow(folder: string): number {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

async function toFolders(): Promise<readonly Row[]> {
  const [destination, repository] = [freshDestination('destination'), fresh('restic')];
  const tree = join(cache, 'work', 'series');
  mkdirSync(tree, { recursive: true });
  const found = await series(
    [
      ours(tree, `folder:${destination}`, () => Promise.resolve(bytesBelow(destination))),
      theirs(tree, repository, () => Promise.resolve(bytesBelow(repository))),
    ],
    null,
  );
  for (const folder of [destination, repository]) rmSync(folder, { recursive: true });
  return rows('folder', found);
}

async function toS3(): Promise<readonly Row[]> {
  const swift = await startSwift();
  const counter = spawn(process.execPath, [join(import.meta.dirname, 'counting-server.ts'), String(swift.port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answer = async (): Promise<number> => Number(((await once(counter.stdout, 'data')) as [Buffer])[0].toString());
  try {
    const endpoint = `http://127.0.0.1:${String(await answer())}`;
    const bucket = await makeBucket(swift.endpoint);
    const keys = {
      AWS_ACCESS_KEY_ID: swiftKeys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: swiftKeys.secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const tree = join(cache, 'work', 'series');
    mkdirSync(tree, { recursive: true });
    const stored = async (prefix: string): Promise<number> => await bytesInBucket(swift.endpoint, bucket, prefix);
    const found = await series(
      [
        ours(tree, `s3:${bucket}/ours?endpoint=${endpoint}`, () => stored('ours/'), keys),
        theirs(tree, `s3:${endpoint}/${bucket}/theirs`, () => stored('theirs/'), keys),
      ],
      async () => {
        counter.stdin.write('?\n');
        return await answer();
      },
    );
    return rows('S3', found);
  } finally {
    counter.stdin.end();
    swift.stop();
  }
}

async function bytesInBucket(endpoint: string, bucket: string, prefix: string): Promise<number> {
  const client = plainClient(endpoint);
  let [sum, marker] = [0, ''];
  for (;;) {
    const page = await client.listObjectsV2({ Bucket: bucket, Prefix: prefix, StartAfter: marker });
    const contents = page.Contents ?? [];
    for (const { Size = 0 } of contents) sum += Size;
    marker = contents.at(-1)?.Key ?? '';
    if (page.IsTruncated !== true) break;
  }
  client.destroy();
  return sum;
}

const loadBefore = load();
mkdirSync(cache, { recursive: true });
const found = [...(await toFolders()), ...(swiftMissing === '' ? await toS3() : [])];
rmSync(join(cache, 'work'), { recursive: true, force: true });
tell(`\n${machine(loadBefore)}\n\n${tableOf(found)}`);
