import { beforeEach, expect, test } from 'vitest';
import type { CallHandlers } from '../../main/contract/calls.ts';
import { editedDestinationSchema } from '../../main/contract/destinations.ts';
import type { ServerSettings } from '../../main/contract/server-settings.ts';
import { destinationEdit } from '../../main/engine/service/destination-edit.ts';
import { noticeCalls } from '../../main/engine/service/notice-calls.ts';
import { serverCalls } from '../../main/engine/service/server-calls.ts';
import type { Service } from '../../main/engine/service/service.ts';
import type { SignIns } from '../../main/engine/service/sign-ins.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { memorySettings, type MemorySettings } from '../support/memory-settings.ts';
import { memoryStore, server } from '../support/service-world.ts';

/** What a later version, or a person, put beside what this version knows. */
const later = { later: { kept: true } };
const signal = new AbortController().signal;

let memory: MemorySettings;
let calls: CallHandlers;

function withLater(settings: ServerSettings): ServerSettings {
  const { schedule, hooks, keep, quiesce } = settings;
  return {
    ...{ ...settings, ...later, schedule: { ...schedule, ...later }, hooks: { ...hooks, ...later }, keep: { ...keep, ...later } },
    quiesce: { ...quiesce, ...later },
  };
}

beforeEach(() => {
  memory = memorySettings(
    {
      bandwidth: { limit: '1M', whilePlayers: '512K', ...later },
      pauseOn: { battery: false, metered: true, ...later },
      notices: [{ kind: 'ntfy', name: 'phone', server: 'https://ntfy.sh', topic: 'mine', only: ['failed'], ...later }],
      destinations: { here: { settings: { provider: 's3', bucket: 'mine', prefix: 'home', region: 'a', ...later }, ...later } },
      servers: [withLater(server({ folder: '/srv', preset: 'minecraft', keep: { last: 3 } }))],
    },
    { folderProblem: () => Promise.resolve(null) },
  );
  const { host } = memory;
  const service: Partial<Service> = { settingsChanged: () => undefined, status: () => ({}) as never };
  calls = {
    ...noticeCalls(host, fakeClock(), { problemOf: () => '', forgetProblem: () => undefined }),
    ...serverCalls(host, service as Service, memoryStore(0)),
    'destination.edit': destinationEdit({
      ...{ host, signIns: {} as SignIns, tryPassword: () => Promise.resolve(), moved: () => undefined, changed: () => undefined },
    }),
  } as Partial<CallHandlers> as CallHandlers;
});

test('bandwidth.set and pauseOn.set keep what they do not know, and nothing of what they do', async () => {
  await calls['bandwidth.set']({ limit: '5M', whilePlayers: 'off' }, signal);
  await calls['pauseOn.set']({ battery: true, metered: false }, signal);
  expect([memory.current().bandwidth, memory.current().pauseOn]).toEqual([
    { limit: '5M', whilePlayers: 'off', ...later },
    { battery: true, metered: false, ...later },
  ]);
});

test('so does notice.set, and where it becomes another kind', async () => {
  await calls['notice.set'](
    { target: { kind: 'ntfy', name: 'phone', server: 'https://ntfy.sh', topic: 'new' }, secrets: {}, isNew: false },
    signal,
  );
  expect(memory.current().notices).toEqual([{ kind: 'ntfy', name: 'phone', server: 'https://ntfy.sh', topic: 'new', ...later }]);
  await calls['notice.set']({ target: { kind: 'desktop', name: 'phone' }, secrets: {}, isNew: false }, signal);
  expect(memory.current().notices).toEqual([{ kind: 'desktop', name: 'phone', ...later }]);
});

test('so does destination.edit, in the settings of the place, too', async () => {
  const settings = { provider: 's3', bucket: 'mine', prefix: 'home' } as const;
  await calls['destination.edit'](editedDestinationSchema.parse({ name: 'here', settings, secrets: {} }), signal);
  expect(memory.current().destinations['here']).toEqual({ settings: { ...settings, ...later }, ...later });
});

test('so does server.edit, at every depth', async () => {
  const edited = server({ folder: '/srv', schedule: { kind: 'daily', at: ['04:00'] }, keep: { daily: 7 } });
  await calls['server.edit']({ server: edited, makeFolder: false }, signal);
  expect(memory.current().servers).toEqual([withLater(edited)]);
});
