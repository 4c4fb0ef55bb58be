import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { BackupRequest } from '../../main/contract/reports.ts';
import type { ServerSettings } from '../../main/contract/server-settings.ts';
import { world as realEngine } from '../support/engine-on-memory.ts';
import { serviceWorld } from '../support/service-world.ts';
import { tempFolder } from '../support/temp-folder.ts';

let folder = '';
beforeEach(() => {
  folder = tempFolder();
  writeFileSync(join(folder, 'world.dat'), 'blocks');
});

type Asked = Readonly<Record<'whole' | 'ignoreInode', unknown>>;

/** What the engine is asked for, of a server with these settings. */
async function asked(settings: Partial<ServerSettings>, how: { readonly whole?: boolean } = {}): Promise<Asked> {
  const requests: BackupRequest[] = [];
  const engine = realEngine();
  const backupToAll: typeof engine.engine.backupToAll = (places, request, run) => {
    requests.push(request);
    return engine.engine.backupToAll(places, request, run);
  };
  const world = serviceWorld({ folder, engine, servers: [settings], host: { engine: { ...engine.engine, backupToAll } } });
  const ended = world.ended('backup');
  await world.service.calls['backup.start']({ slug: 'survival', force: false, takeOver: false, ...how }, new AbortController().signal);
  expect(await ended).toMatchObject({ state: 'done' });
  expect(requests).toHaveLength(1);
  return { whole: requests[0]?.whole ?? 'not said', ignoreInode: requests[0]?.ignoreInode ?? 'not said' };
}

describe('what a server’s backups rest on is as its settings say', () => {
  const cases: readonly (readonly [
    what: string,
    settings: Partial<ServerSettings>,
    how: { readonly whole?: boolean },
    request: Partial<Asked>,
  ])[] = [
    ['nothing said: the engine’s own rules', {}, {}, { whole: 'not said', ignoreInode: 'not said' }],
    ['never whole again', { whole: 'never' }, {}, { whole: 'never' }],
    ['whole after some days', { whole: 10 }, { whole: false }, { whole: 10 }],
    ['always whole', { whole: 'always' }, {}, { whole: 'always' }],
    ['whole once, whatever they say', { whole: 'never' }, { whole: true }, { whole: 'always' }],
    ['a folder whose inodes say nothing', { ignoreInode: true }, {}, { ignoreInode: true }],
  ];
  test.each(cases)('%s', async (_what, settings, how, request) => {
    expect(await asked(settings, how)).toMatchObject(request);
  });
});
