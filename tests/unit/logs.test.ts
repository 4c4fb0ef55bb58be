import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logFile } from '../../main/adapters/logs/log-file.ts';
import { redactor } from '../../main/adapters/logs/redactor.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { tempFolder } from '../support/temp-folder.ts';

test('a registered secret is hidden wherever it turns up, in each of its forms, and inside others', () => {
  const hide = redactor();
  hide.register('pa"ss\\word/1');
  hide.register('pa"ss\\word/12345');
  expect(hide.text('x pa"ss\\word/1 y')).toBe('x [hidden] y');
  expect(hide.text('pa"ss\\word/12345')).toBe('[hidden]');
  expect(hide.text(JSON.stringify({ a: 'pa"ss\\word/1' }))).toBe('{"a":"[hidden]"}');
  expect(hide.text(`https://x/?p=${encodeURIComponent('pa"ss\\word/1')}`)).toBe('https://x/?p=[hidden]');
  expect(hide.value({ list: ['a pa"ss\\word/1'], 'pa"ss\\word/1': 1 })).toEqual({ list: ['a [hidden]'], '[hidden]': 1 });
});

test('of an address that is a secret the telling parts are hidden, too', () => {
  const hide = redactor();
  hide.register('https://discord.example/api/webhooks/1234/Abcdefgh-12345678');
  expect(hide.text('the end was Abcdefgh-12345678, api, webhooks')).toBe('the end was [hidden], api, webhooks');
});

test('what lies under a name that speaks of secrets is hidden unregistered; that there is one is not', () => {
  const hide = redactor();
  expect(
    hide.value({ password: 'x', refreshToken: 'x', apiKey: 'x', Authorization: 'x', hasPassword: true, tokens: 3, name: 'x' }),
  ).toEqual({
    ...{ password: '[hidden]', refreshToken: '[hidden]', apiKey: '[hidden]', Authorization: '[hidden]' },
    ...{ hasPassword: true, tokens: 3, name: 'x' },
  });
});

test('any secret, with whatever letters a pattern would take for its own', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4, maxLength: 40, unit: 'grapheme' }), fc.string(), fc.string(), (secret, before, after) => {
      const hide = redactor();
      hide.register(secret);
      const text = hide.text(`${before}${secret}${after}`);
      expect(text.replaceAll('[hidden]', '').includes(secret)).toBe(false);
    }),
  );
});

test('lines are JSON with their time; full files move on, and the oldest goes', () => {
  const path = join(tempFolder(), 'log', 'holdfast.log');
  const hide = redactor();
  hide.register('planted');
  const log = logFile({ path, clock: fakeClock({ now: Date.UTC(2026, 0) }), redactor: hide, limit: 300, kept: 2 });
  for (let index = 0; index < 20; index += 1) log.write('info', 'counted', { index, text: 'planted' });
  const lines = (name: string): { index: number; text: string; time: string }[] =>
    readFileSync(name, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { index: number; text: string; time: string });
  const all = [...lines(`${path}.2`), ...lines(`${path}.1`), ...lines(path)];
  expect(all.map(({ index }) => index)).toEqual(Array.from({ length: all.length }, (_, at) => 20 - all.length + at));
  expect(new Set(all.map(({ text, time }) => `${text} ${time}`))).toEqual(new Set(['[hidden] 2026-01-01T00:00:00.000Z']));
  expect(existsSync(`${path}.3`)).toBe(false);
  expect([statSync(path).mode & 0o777, statSync(path).size <= 300]).toEqual([0o600, true]);
});

test('a log that cannot be written is told once and stops nothing', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'log'), 'a file where the folder should be');
  const problems: unknown[] = [];
  const log = logFile({
    path: join(folder, 'log', 'x.log'),
    clock: fakeClock(),
    redactor: redactor(),
    onProblem: (error) => problems.push(error),
  });
  log.write('info', 'one');
  log.write('info', 'two');
  expect(problems).toHaveLength(1);
});
