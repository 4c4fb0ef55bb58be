import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { patterned } from '../conformance/suite-support.ts';
import { hasTracer } from '../support/other-readers.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { tracedCalls, type TracedCall } from '../support/traced-calls.ts';

const traced = 'write,pwrite64,pwritev,ftruncate,fsync,rename,renameat,renameat2,link,linkat';

/** The first descriptor's file. */
const fileOf = ({ args }: TracedCall): string => /^\d+<([^>]*)>/.exec(args)?.[1] ?? '';
const works = ({ result }: TracedCall): boolean => !result.startsWith('-');

test.skipIf(!hasTracer)('a backup into a folder: each object’s bytes, then its name, are on the disk before it counts', async () => {
  const base = tempFolder();
  const place = join(base, 'new', 'place');
  mkdirSync(join(base, 'world'));
  for (const name of ['a', 'b']) writeFileSync(join(base, 'world', name), patterned(300_000));
  const log = join(base, 'log');
  const { code, stderr } = await runCli(['backup', join(base, 'world'), '-d', `folder:${place}`, '--volume-size', '256K', '--json'], {
    cwd: base,
    env: { HOLDFAST_STATE_DIR: join(base, 'state'), HOLDFAST_PASSWORD: 'correct horse battery' },
    under: ['strace', '-f', '-y', '-qq', '-s', '0', '-o', log, '-e', `trace=${traced}`],
  });
  expect([code, stderr]).toEqual([0, '']);
  const calls = tracedCalls(readFileSync(log, 'latin1')).filter(works);
  const fsyncs = calls.filter(({ name }) => name === 'fsync');
  const report = calls.find(({ name, args }) => name === 'write' && args.startsWith('1<'));

  /** When the object of this name was durable; its upload's bytes were so before it got the name. */
  function durable(move: TracedCall, from: string, to: string): number {
    const written = calls.filter((call) => /write|truncate/.test(call.name) && fileOf(call) === from).map(({ ended }) => ended);
    expect(written.length, to).toBeGreaterThan(0);
    const lastWrite = Math.max(...written);
    const bytes = fsyncs.find((call) => fileOf(call) === from && call.begun > lastWrite && call.ended < move.begun);
    expect(bytes, `the bytes of ${to}`).toBeDefined();
    const name = fsyncs.find((call) => fileOf(call) === dirname(to) && call.begun > move.ended);
    expect(name, `the name ${to}`).toBeDefined();
    return name?.ended ?? Infinity;
  }

  const objects = calls.flatMap((move) => {
    const [from, to] = [...move.args.matchAll(/"([^"]*)"/g)].map(([, path = '']) => path);
    if (!/^(rename|link)/.test(move.name) || from === undefined || to?.startsWith(`${place}/`) !== true) return [];
    // What has begun and not ended counts for nothing.
    if (to.startsWith(`${place}/.holdfast-uploads/`)) return [];
    return [{ key: to.slice(place.length + 1), begun: move.begun, durable: durable(move, from, to) }];
  });
  const find = (end: string): (typeof objects)[number] => {
    const found = objects.find(({ key }) => key.endsWith(end));
    if (found === undefined) throw new Error(`no ${end} among ${objects.map(({ key }) => key).join(', ')}`);
    return found;
  };
  expect(objects.map(({ key }) => key)).toContain('holdfast.vault');
  for (const volume of ['.holdfast', '.002.holdfast']) expect(find(volume).durable).toBeLessThan(find(`${volume}.sha256`).begun);
  const manifest = find('.manifest');
  // It is what makes the others count.
  for (const { key, durable: when } of objects) if (key !== manifest.key) expect(when, key).toBeLessThan(manifest.begun);
  expect(manifest.durable).toBeLessThan(report?.begun ?? -1);
  // The folders that were made for it have their names too.
  for (const folder of [base, dirname(place), place]) expect(fsyncs.map(fileOf)).toContain(folder);
});
