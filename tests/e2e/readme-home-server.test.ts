import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseDestinationUrl } from '../../main/compose/destination-url.ts';
import type { Job } from '../../main/contract/jobs.ts';
import { startRconServer } from '../support/rcon-server.ts';
import { ServiceHome } from '../support/service-process.ts';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const section = /^## A home server, every night\n+```sh\n([^`]+)```/m.exec(readme)?.[1] ?? '';

/** The words of a line as a shell takes them, without its comment. */
function wordsOf(line: string): readonly string[] {
  return [...line.replace(/\s#.*$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

test('the lines that the README shows for a home server do what they say, in under ten lines', async () => {
  const lines = section.trim().split('\n');
  expect(lines.length).toBeLessThan(10);
  const [clone = [], ...commands] = lines.map(wordsOf);
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  expect([clone.slice(0, 2), clone.slice(-3, -1), Object.keys(scripts)]).toEqual([
    ['git', 'clone'],
    ['npm', 'run'],
    expect.arrayContaining([clone.at(-1)]),
  ]);
  expect(commands.map((words) => words.slice(0, 2))).toEqual(commands.map(() => ['npx', 'holdfast']));

  const home = new ServiceHome();
  const game = await startRconServer('correct horse');
  onTestFinished(() => game.close());
  writeFileSync(join(home.folder, 'server.properties'), `enable-rcon=true\nrcon.port=${game.port}\nrcon.password=correct horse\n`);
  writeFileSync(join(home.folder, 'level.dat'), 'blocks');
  const ran: string[] = [];
  for (const words of commands.map((all) => all.slice(2))) {
    const args = words.map((word) => {
      if (word === '/srv/survival') return home.folder;
      if (!word.startsWith('s3:')) return word;
      expect(parseDestinationUrl(word, root)).toMatchObject({ provider: 's3' });
      return `folder:${home.place}`;
    });
    ran.push(args.slice(0, 2).join(' '));
    // It needs a systemd of this user (tests/e2e/systemd.test.ts).
    const run = await home.run(ran.at(-1) === 'service install' ? [...args, '--help'] : args);
    expect([args, run.code, run.stderr]).toEqual([args, 0, expect.anything()]);
  }
  expect(ran).toEqual(['keychain use', 'destination add', 'server add', 'service install', 'server backup']);
  expect(game.done).toEqual(['save-off', 'save-all flush', 'save-on']);
  expect(await home.json(['server', 'jobs'])).toMatchObject([{ kind: 'backup', state: 'done', warnings: [] }] satisfies Partial<Job>[]);
  expect(await home.json(['server', 'list'])).toMatchObject([
    { settings: { schedule: { kind: 'daily', at: ['04:00'] }, preset: 'minecraft', keep: { daily: 7 }, drill: 'monthly' } },
  ]);
});
