import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format } from 'prettier';
import { expect, test } from 'vitest';
import { configDirPath } from '../../main/adapters/config/config-dir.ts';
import { stateDirPath } from '../../main/adapters/system/state-dir.ts';
import { runCli } from '../support/run-cli.ts';

const root = resolve(import.meta.dirname, '..', '..');
const docker = join(root, 'resources', 'docker');
const image = readFileSync(join(docker, 'Dockerfile'), 'utf8');
const compose = readFileSync(join(docker, 'compose.yaml'), 'utf8');
const environment = Object.fromEntries([...image.matchAll(/(HOLDFAST_\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
const volumes = JSON.parse(/^VOLUME (.+)$/m.exec(image)?.[1] ?? 'null') as unknown;

test('what the image runs is there: each of its own files, and the command', async () => {
  const own = [...image.matchAll(/\/opt\/holdfast\/([\w./-]+)/g)].map(([, path = '']) => path);
  expect(own).toContain('bin/holdfast.js');
  expect(own.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const setup = /^RUN node (\S+)/m.exec(image)?.[1] ?? '';
  expect(existsSync(join(root, setup))).toBe(true);
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').trim().split('\n');
  expect(['bin', 'main', 'scripts', 'renderer', 'resources'].filter((folder) => ignored.includes(folder))).toEqual([]);
  const [command = ''] = JSON.parse(/^CMD (.+)$/m.exec(image)?.[1] ?? 'null') as string[];
  expect(await runCli([command, '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining(`holdfast ${command}`) as string });
});

test('its variables name the folders that the program uses, and both outlive the container', () => {
  expect([configDirPath(environment), stateDirPath(environment)]).toEqual(volumes);
});

test('the compose file is YAML, builds that image, keeps those folders, and is told as untested', async () => {
  // Throws where it is none.
  await format(compose, { parser: 'yaml' });
  const context = resolve(docker, /^ +context: (\S+)$/m.exec(compose)?.[1] ?? '');
  expect(context).toBe(root);
  expect(resolve(context, /^ +dockerfile: (\S+)$/m.exec(compose)?.[1] ?? '')).toBe(join(docker, 'Dockerfile'));
  const mounts = [...compose.matchAll(/^ +- (\w+):(\/\w+)$/gm)].map(([, name = '', path = '']) => ({ name, path }));
  expect(mounts.map(({ path }) => path)).toEqual(volumes);
  const declared = [...(/^volumes:\n((?: {2}\w+:\n?)+)/m.exec(compose)?.[1] ?? '').matchAll(/(\w+):/g)].map(([, name]) => name);
  expect(declared).toEqual(mounts.map(({ name }) => name));
  expect(compose.split('\n')[0]).toContain('Untested');
});

test('the commands that it shows are commands', async () => {
  const shown = [...compose.matchAll(/exec holdfast holdfast (\w+) (\w+)/g)].map(([, group = '', verb = '']) => [group, verb]);
  expect(shown).toHaveLength(3);
  for (const words of shown)
    expect(await runCli([...words, '--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining(words.join(' ')) as string });
});
