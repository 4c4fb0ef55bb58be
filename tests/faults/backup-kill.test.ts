import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { folderBackend } from '../../main/adapters/storage/folder/folder-backend.ts';
import { machineId } from '../../main/adapters/system/machine-id.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { readObjectName } from '../../main/engine/snapshots/names.ts';
import { differences, seeTree } from '../support/compare-trees.ts';
import { password, world } from '../support/engine-on-memory.ts';
import type { World } from '../support/engine-on-memory.ts';
import { hasTracer } from '../support/other-readers.ts';
import { holdfast } from '../support/run-cli.ts';
import { Workshop } from '../support/run-holdfast.ts';
import { TreeMaker } from '../support/trees.ts';

const shop = new Workshop('kill');
const source = shop.path('survival');
const former = shop.path('former');
/** Every call by which a destination folder is changed. */
const changes = 'write,pwrite64,ftruncate,rename,renameat2,link,linkat,fsync,fdatasync,unlink,unlinkat,mkdir,mkdirat,rmdir';
const points = 40;
const atOnce = 2;
/** The calls that change the destination: which kind, and the how-manieth of its kind and thread. */
const moments: { readonly call: string; readonly count: number }[] = [];

/** A copy of the destination as it was before the run, and an engine of this process on it. */
function placeOf(name: string, from: string): { place: string; state: string; world: () => Promise<World> } {
  const place = shop.path(`place-${name}`);
  const state = shop.path(`state-${name}`);
  cpSync(from, place, { recursive: true });
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(join(state, 'machine-id'), readFileSync(shop.path('machine')));
  return {
    place,
    state,
    world: async () => world({ backend: folderBackend(place), stateDir: state, machine: await machineId(state, systemRandom) }),
  };
}

/** What uploads have left there. */
function unfinishedIn(place: string): readonly string[] {
  return readdirSync(join(place, '.holdfast-uploads'));
}

/** The real command under a tracer. One thread makes all asynchronous calls, so that its calls can be counted. */
function backupUnder(
  tracer: readonly string[],
  place: string,
  state: string,
): Promise<{ code: number | null; signal: string | null; text: string }> {
  return new Promise((settle, fail) => {
    const words = [...tracer, process.execPath, holdfast, 'backup', source, '-d', `folder:${place}`, '--volume-size', '256K', '--force'];
    const child = spawn('/usr/bin/env', words, {
      env: { ...process.env, UV_THREADPOOL_SIZE: '1', HOLDFAST_STATE_DIR: state, HOLDFAST_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece: Uint8Array) => (text += String(piece)));
    child.on('error', fail);
    child.on('close', (code, signal) => settle({ code, signal, text }));
  });
}

const strace = (log: string, ...rest: string[]): string[] => ['strace', '-f', '-y', '-qq', '-o', log, '-e', `trace=${changes}`, ...rest];

describe.skipIf(!hasTracer)('a backup killed at any change it makes', () => {
  beforeAll(async () => {
    mkdirSync(source);
    const tree = new TreeMaker(source, 1);
    tree.folder('world');
    tree.file('world/level', 300_000);
    tree.file('properties', 100);
    cpSync(source, former, { recursive: true, preserveTimestamps: true });
    const state = shop.path('state-first');
    mkdirSync(state, { mode: 0o700 });
    const machine = await machineId(state, systemRandom);
    cpSync(join(state, 'machine-id'), shop.path('machine'));
    await world({ backend: folderBackend(shop.place), stateDir: state, machine }).backup(source, { server: 'survival' });
    tree.file('world/level 2', 200_000);
    writeFileSync(tree.at('properties'), 'changed since');

    // What the thread does that changes the destination, one after the other. A tracer counts each kind of call by itself.
    const { place, state: own } = placeOf('counted', shop.place);
    const run = await backupUnder(strace(shop.path('counted.log')), place, own);
    expect(run.code, run.text).toBe(0);
    const counts = new Map<string, number>();
    for (const line of readFileSync(shop.path('counted.log'), 'latin1').split('\n')) {
      const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
      if (thread === undefined || call === undefined) continue;
      const count = (counts.get(`${thread} ${call}`) ?? 0) + 1;
      counts.set(`${thread} ${call}`, count);
      if (line.includes(place)) moments.push({ call, count });
    }
    expect(moments.length).toBeGreaterThanOrEqual(points);
  });

  it(`keeps the earlier snapshot whole, offers no torn one, and is cleaned up after (${points} points)`, { timeout: 600_000 }, async () => {
    const wanted = Array.from({ length: points }, (_, index) => Math.floor((index * moments.length) / points));
    let killed = 0;
    let unfinished = 0;
    async function judge(step: number): Promise<void> {
      const moment = moments[step];
      if (moment === undefined) throw new Error('there is no such moment');
      const { place, state, world: open } = placeOf(String(step), shop.place);
      const log = shop.path(`${step}.log`);
      const run = await backupUnder(strace(log, '-e', `inject=${moment.call}:signal=SIGKILL:when=${moment.count}`), place, state);
      if (run.signal === 'SIGKILL' || run.code === 137) killed += 1;
      else expect(run.code, `${step}: ${run.text}`).toBe(0);
      unfinished += unfinishedIn(place).length > 0 ? 1 : 0;

      const one = await open();
      const rows = await one.engine.snapshots(one.destination, {}, {});
      const complete = rows.filter((row) => row.complete);
      expect(complete.length, String(step)).toBeGreaterThanOrEqual(1);
      if (step % 4 === 0) expect(await one.verify(), String(step)).toMatchObject({ damage: [] });
      const back = shop.path(`back-${step}`);
      await one.restore(back);
      expect(
        differences(seeTree(complete.length === 1 ? former : source, { owners: false }), seeTree(back, { owners: false }), {
          ignore: ['mtimeNs'],
        }),
        String(step),
      ).toEqual([]);
      const torn = rows.find((row) => !row.complete);
      if (torn !== undefined) {
        await expect(one.restore(shop.path(`torn-${step}`), { snapshot: torn.id }), String(step)).rejects.toMatchObject({
          code: 'not-found',
        });
      }
      expect(await one.backup(source, { server: 'survival', force: true }), String(step)).toMatchObject({
        outcome: 'written',
        warnings: [],
      });
      expect(unfinishedIn(place), String(step)).toEqual([]);
      const strangers = readdirSync(join(place, 'survival')).filter((name) => readObjectName(`survival/${name}`) === null);
      expect(strangers, String(step)).toEqual([]);
    }
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let step = wanted.shift(); step !== undefined; step = wanted.shift()) await judge(step);
      }),
    );
    // The points did hit: nearly every run was killed, many of them inside an upload.
    expect(killed).toBeGreaterThan(points - 8);
    expect(unfinished).toBeGreaterThan(points / 4);
  });
});
