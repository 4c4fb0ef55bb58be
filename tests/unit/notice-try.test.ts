import { beforeEach, expect, test } from 'vitest';
import type { CallHandlers } from '../../main/contract/calls.ts';
import type { NoticeTarget } from '../../main/contract/notices.ts';
import { noticeCalls } from '../../main/engine/service/notice-calls.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { memorySettings, type MemorySettings } from '../support/memory-settings.ts';

const signal = new AbortController().signal;
const hook: NoticeTarget = { kind: 'webhook', name: 'ops' };
const ntfy: NoticeTarget = { kind: 'ntfy', name: 'ops', server: 'https://ntfy.sh', topic: 'mine' };

let memory: MemorySettings;
let sent: unknown[];
let calls: Pick<CallHandlers, 'notice.set' | 'notice.test' | 'notice.try' | 'notices.list'>;

beforeEach(() => {
  sent = [];
  memory = memorySettings(
    { notices: [hook] },
    {
      deliver: async (target, secrets, { kind }) => {
        sent.push([target.kind, secrets, kind]);
      },
    },
  );
  memory.secrets.set('notice/ops/url', 'https://kept.example/x');
  calls = noticeCalls(memory.host, fakeClock(), { problemOf: () => '', forgetProblem: () => undefined });
});

test('what is tried is kept nowhere; a secret that is left out is the one that is kept', async () => {
  await calls['notice.try']({ target: { ...hook, name: 'new' }, secrets: { url: 'https://typed.example/y' }, isNew: true }, signal);
  await calls['notice.try']({ target: hook, secrets: {}, isNew: false }, signal);
  expect(sent).toEqual([
    ['webhook', { url: 'https://typed.example/y' }, 'test'],
    ['webhook', { url: 'https://kept.example/x' }, 'test'],
  ]);
  expect([memory.current().notices, [...memory.secrets.keys()]]).toEqual([[hook], ['notice/ops/url']]);
});

test('a new one takes no name that there is, and no secret of the one that has it', async () => {
  const request = { target: ntfy, secrets: {}, isNew: true };
  expect([await codeOf(calls['notice.set'](request, signal)), await codeOf(calls['notice.try'](request, signal))]).toEqual([
    ...['already-exists', 'already-exists'],
  ]);
  expect([sent, memory.current().notices]).toEqual([[], [hook]]);
  // Whoever changes one may make it another kind, with secrets of its own.
  await calls['notice.try']({ ...request, isNew: false }, signal);
  expect(sent).toEqual([['ntfy', {}, 'test']]);
});

test('one without the address that it needs is not sent', async () => {
  const target: NoticeTarget = { kind: 'discord', name: 'ops' };
  expect(await codeOf(calls['notice.try']({ target, secrets: {}, isNew: false }, signal))).toBe('config-invalid');
  expect(await codeOf(calls['notice.try']({ target, secrets: { url: 'nowhere' }, isNew: false }, signal))).toBe('config-invalid');
  expect(sent).toEqual([]);
});

test('they are listed while the keychain is locked, too', async () => {
  memory.locked = true;
  expect(await calls['notices.list']({}, signal)).toEqual([{ target: hook, secrets: [], problem: '' }]);
});

test('a test of one that needs no secret goes out while the keychain is locked', async () => {
  await calls['notice.set']({ target: ntfy, secrets: {}, isNew: false }, signal);
  memory.locked = true;
  await calls['notice.test']({ name: 'ops' }, signal);
  expect(sent).toEqual([['ntfy', {}, 'test']]);
});
