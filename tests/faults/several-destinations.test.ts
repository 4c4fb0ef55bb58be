import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import type { BackupReport, BackupRequest } from '../../main/contract/reports.ts';
import type { OpenDestination } from '../../main/engine/engine.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { seeTree } from '../support/compare-trees.ts';
import { contents, world, type World } from '../support/engine-on-memory.ts';
import { holdfast } from '../support/run-cli.ts';
import { ServiceHome } from '../support/service-process.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = join(tempFolder(), 'source');
  mkdirSync(join(folder, 'below'), { recursive: true });
  for (let index = 0; index < 60; index += 1) writeFileSync(join(folder, 'below', `f${index}`), Buffer.alloc(index * 5_000, `${index}`));
  writeFileSync(join(folder, 'large'), Buffer.alloc(9 * 2 ** 20, 'large '));
});

const places: OpenDestination[] = [];
let engines: World;
beforeEach(() => {
  engines = world();
  places.length = 0;
  for (const password of ['the first password', 'the second password']) {
    places.push({
      backend: memoryBackend({ clock: engines.host.clock }),
      credentials: { kind: 'password', password },
      settings: { place: password },
    });
  }
});
afterEach(() => void places.splice(0));

const request = (more: Partial<BackupRequest> = {}): BackupRequest => ({
  ...{ folder, server: 'survival', excludes: [], format: 'archive', level: 1, volumeSize: 4 * 2 ** 20, force: false, takeOver: false },
  ...more,
});
const toAll = (more: Partial<BackupRequest> = {}, signal?: AbortSignal): Promise<readonly (BackupReport | Fault)[]> =>
  engines.engine.backupToAll(places, request(more), signal === undefined ? {} : { signal });

async function whole(place: OpenDestination): Promise<string> {
  const target = join(tempFolder(), 'back');
  const { damage } = await engines.engine.verify(place, { snapshot: 'latest', server: 'survival', quick: false }, {});
  expect(damage).toEqual([]);
  await engines.engine.restore(
    place,
    { snapshot: 'latest', server: 'survival', target, include: [], replace: false, force: false, salvage: false },
    {},
  );
  return target;
}

/** A backend whose `verb` fails from its `nth` call on. */
function failing(inner: Backend, verb: 'beginUpload' | 'writePart' | 'complete', nth: number): Backend {
  let calls = 0;
  const fail = (): void => {
    calls += 1;
    if (calls >= nth) throw new Fault('quota-exceeded', 'the storage is full', { operation: verb });
  };
  return {
    ...inner,
    beginUpload: async (key, options) => {
      if (verb === 'beginUpload' && key.includes('.holdfast')) fail();
      const upload = await inner.beginUpload(key, options);
      return {
        ...upload,
        token: upload.token,
        writePart: async (index, bytes, call) => {
          if (verb === 'writePart') fail();
          await upload.writePart(index, bytes, call);
        },
        complete: async (call) => {
          if (verb === 'complete' && key.includes('.holdfast')) fail();
          return await upload.complete(call);
        },
        abort: (call) => upload.abort(call),
      };
    },
  };
}

describe('one folder to several destinations', () => {
  test('each gets a whole snapshot of its own, under its own password and salt', async () => {
    const reports = await toAll();
    expect(reports.map((report) => (report instanceof Fault ? report.code : report.outcome))).toEqual(['written', 'written']);
    const archives = await Promise.all(
      places.map(async ({ backend }) =>
        [...(await contents(backend))].filter(([key]) => key.endsWith('.holdfast')).map(([, bytes]) => bytes),
      ),
    );
    expect(archives.map((all) => all.length)).toEqual([archives[0]?.length, archives[0]?.length]);
    expect(archives[0]?.length).toBeGreaterThan(1);
    // The salt of each message: behind the 92 bytes of the header.
    const salts = archives.flat().map((bytes) => bytes.subarray(92, 116).toString('hex'));
    expect(new Set(salts).size).toBe(salts.length);
    for (const place of places) expect(seeTree(await whole(place), { owners: false })).toEqual(seeTree(folder, { owners: false }));
  });

  test.each([
    ['beginUpload', 1],
    ['beginUpload', 2],
    ['writePart', 1],
    ['writePart', 4],
    ['complete', 1],
    ['complete', 2],
  ] as const)('one that fails at %s number %i is as it was before, and the others are whole', async (verb, nth) => {
    const broken = nth % 2;
    const at = places[broken];
    if (at === undefined) throw new Error('no place');
    const { backend } = at;
    places[broken] = { ...at, backend: failing(backend, verb, nth) };
    const reports = await toAll({ force: true });
    places[broken] = at;
    expect(reports.map((report) => (report instanceof Fault ? report.code : report.outcome))).toEqual(
      places.map((_, index) => (index === broken ? 'quota-exceeded' : 'written')),
    );
    expect([...(await contents(backend)).keys()].filter((key) => key.startsWith('survival/'))).toEqual([]);
    const unfinished: string[] = [];
    for await (const { token } of backend.openUploads('survival/')) unfinished.push(token);
    expect(unfinished).toEqual([]);
    for (const place of places.filter((_, index) => index !== broken)) {
      const report = await engines.engine.verify(place, { snapshot: 'latest', server: 'survival', quick: false }, {});
      expect([report.damage, report.snapshots.length]).toEqual([[], 1]);
    }
  });

  test('one that is gone altogether, so that not even its upload can be given up, does not take the others with it', async () => {
    const [first] = places;
    if (first === undefined) throw new Error('no place');
    const lost = (): Promise<never> => Promise.reject(new Fault('unavailable', 'the disk is gone', { operation: 'write' }));
    places[0] = {
      ...first,
      backend: {
        ...first.backend,
        beginUpload: async (key, options) => {
          const upload = await first.backend.beginUpload(key, options);
          return key.endsWith('.holdfast') ? { ...upload, token: upload.token, writePart: lost, abort: lost } : upload;
        },
      },
    };
    const reports = await toAll();
    expect(reports.map((report) => (report instanceof Fault ? report.code : report.outcome))).toEqual(['unavailable', 'written']);
    const [, second] = places;
    if (second === undefined) throw new Error('no place');
    expect((await engines.engine.verify(second, { snapshot: 'latest', server: 'survival', quick: false }, {})).damage).toEqual([]);
  });

  test('a wrong password for one is its own fault, before anything is read for it', async () => {
    await toAll();
    const [first] = places;
    if (first === undefined) throw new Error('no place');
    places[0] = { ...first, credentials: { kind: 'password', password: 'not that one' } };
    const reports = await toAll({ force: true });
    expect(reports.map((report) => (report instanceof Fault ? report.code : report.outcome))).toEqual(['wrong-password', 'written']);
  });

  test('cancelled, none has anything new, and all locks are free again', async () => {
    await toAll();
    const before = await Promise.all(places.map(async ({ backend }) => [...(await contents(backend)).keys()].sort()));
    const stop = new AbortController();
    const first = places[1];
    if (first === undefined) throw new Error('no place');
    places[1] = {
      ...first,
      backend: {
        ...first.backend,
        beginUpload: async (key, options) => {
          const upload = await first.backend.beginUpload(key, options);
          if (key.endsWith('.holdfast')) stop.abort();
          return upload;
        },
      },
    };
    // Of one volume: what is finished and written down would stay.
    const reports = await toAll({ force: true, whole: 'always', volumeSize: 2 ** 30 }, stop.signal);
    expect(reports.map((report) => (report instanceof Fault ? report.code : report.outcome))).toEqual(['cancelled', 'cancelled']);
    places[1] = first;
    expect(await Promise.all(places.map(async ({ backend }) => [...(await contents(backend)).keys()].sort()))).toEqual(before);
    expect((await toAll({ force: true })).every((report) => !(report instanceof Fault))).toBe(true);
  });
});

const straceMissing = spawnSync('strace', ['--version'], { stdio: 'ignore' }).status === 0 ? '' : ' (no strace)';

test.skipIf(straceMissing !== '')(`a server with two destinations: every file is opened once${straceMissing}`, async () => {
  const home = new ServiceHome();
  for (let index = 0; index < 20; index += 1) writeFileSync(join(home.folder, `file-${index}`), `content ${index}`);
  mkdirSync(join(home.base, 'second'));
  await home.json(['keychain', 'use', 'machine-key', '--yes']);
  await home.json(['destination', 'add', 'nas', `folder:${home.place}`, '--no-test']);
  await home.json(['destination', 'add', 'usb', `folder:${join(home.base, 'second')}`, '--no-test']);
  await home.json(['server', 'add', 'Survival', home.folder, '--to', 'nas', '--to', 'usb']);
  const trace = join(home.base, 'trace');
  const run = spawnSync(
    'strace',
    ['-f', '-e', 'trace=openat,open', '-o', trace, process.execPath, holdfast, 'server', 'backup', 'survival', '--json'],
    {
      env: { ...process.env, ...home.env },
      encoding: 'utf8',
    },
  );
  expect([run.status, run.stdout.includes('"state":"done"')]).toEqual([0, true]);
  const opened = readFileSync(trace, 'latin1');
  for (let index = 0; index < 20; index += 1) expect([index, opened.split(`file-${index}"`).length - 1]).toEqual([index, 1]);
  for (const place of ['nas', 'usb']) {
    const rows = (await home.json(['snapshots', '-d', place])) as unknown[];
    expect(rows).toHaveLength(1);
  }
});
