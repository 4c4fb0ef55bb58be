import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { seeTree } from '../support/compare-trees.ts';
import { runCli, type CliRun } from '../support/run-cli.ts';
import { password, Workshop } from '../support/run-holdfast.ts';
import { TreeMaker } from '../support/trees.ts';

const shop = new Workshop('restore-interrupt');
const source = shop.path('survival');
const home = shop.path('home');
const live = join(home, 'live');
const timeout = 300_000;
/** At this rate what is left when the first files are there would take many seconds more: no press comes too late. */
const slowly = ['--limit-download', '500K'];

beforeAll(async () => {
  mkdirSync(source);
  const tree = new TreeMaker(source, 1);
  for (let file = 0; file < 12; file += 1) tree.file(`region ${file}`, 5_000_000);
  expect((await shop.backup(source)).code).toBe(0);
}, timeout);

beforeEach(() => {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(live, { recursive: true });
  writeFileSync(join(live, 'region 0'), 'in use');
  writeFileSync(join(live, 'new since'), 'kept');
});

/** A restore without `--json`, as somebody at a terminal runs it, and one Ctrl-C as soon as `reached` holds. */
function interrupted(args: readonly string[], reached: () => boolean): Promise<CliRun> {
  const press = (child: ChildProcess): void => {
    const look = setInterval(() => {
      if (!reached()) return;
      clearInterval(look);
      child.kill('SIGINT');
    }, 1);
    child.once('close', () => clearInterval(look));
  };
  return runCli(['restore', 'latest', '-d', `folder:${shop.place}`, ...args], {
    env: { HOLDFAST_STATE_DIR: shop.state, HOLDFAST_PASSWORD: password },
    whileRunning: press,
  });
}

/** Of whatever is staged beside the target. */
function staged(): readonly string[] {
  const folders = readdirSync(home).filter((name) => name.includes('.holdfast-restore-'));
  return folders.flatMap((name) => [name, ...readdirSync(join(home, name), { recursive: true, encoding: 'utf8' })]);
}

const stagedFiles = (): readonly string[] => staged().filter((name) => basename(name).startsWith('region'));

describe('Ctrl-C during a restore', () => {
  const onto = ['--target', live, '--replace'];
  const moments: readonly (readonly [string, string, readonly string[], () => boolean])[] = [
    ['whole', 'when it has made its staging folder', onto, () => staged().length > 0],
    ['whole', 'when files are there', onto, () => stagedFiles().length > 1],
    ['in part', 'when it has made its staging folder', [...onto, '--include', '/region*'], () => staged().length > 0],
    ['in part', 'when files are there', [...onto, '--include', '/region*'], () => stagedFiles().length > 1],
    ['to a new folder', 'when it has made what leads there', ['--target', join(home, 'not/yet')], () => existsSync(join(home, 'not'))],
  ];

  it.each(moments)('%s, %s, ends with 130 and a sentence, and leaves all as it was', { timeout }, async (_what, _when, args, reached) => {
    const before = seeTree(live, { owners: false });
    const run = await interrupted([...args, ...slowly], reached);
    expect([run.code, run.signal, run.stdout]).toEqual([130, null, '']);
    expect(run.stderr).toBe(
      'Stopping, and cleaning up. Once more stops at once.\nholdfast: cancelled\nNext: Start it again when you like.\n',
    );
    // No journal either, which the next command would have to finish.
    expect(readdirSync(home)).toEqual(['live']);
    expect(seeTree(live, { owners: false })).toEqual(before);
  });

  it(
    'when the former content has been moved away already goes on to the end: the folder is the restored one, whole',
    { timeout },
    async () => {
      const run = await interrupted(['--target', live, '--replace'], () =>
        readdirSync(home).some((name) => name.startsWith('live.before-')),
      );
      expect([run.code, run.signal]).toEqual([0, null]);
      expect(seeTree(live, { owners: false })).toEqual(seeTree(source, { owners: false }));
      const [kept = ''] = readdirSync(home).filter((name) => name.startsWith('live.before-'));
      expect(readFileSync(join(home, kept, 'new since'), 'utf8')).toBe('kept');
      expect(staged()).toEqual([]);
    },
  );
});
