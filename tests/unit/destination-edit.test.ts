import { beforeEach, describe, expect, test } from 'vitest';
import type { CallRequest } from '../../main/contract/calls.ts';
import type { DestinationSettings } from '../../main/contract/destination-settings.ts';
import { editedDestinationSchema } from '../../main/contract/destinations.ts';
import { asFault, Fault } from '../../main/contract/faults.ts';
import { isSamePlace } from '../../main/contract/same-place.ts';
import { destinationEdit } from '../../main/engine/service/destination-edit.ts';
import { factsAfterMove } from '../../main/engine/service/facts.ts';
import { noFacts } from '../../main/engine/service/ports.ts';
import type { SignIns } from '../../main/engine/service/sign-ins.ts';
import { codeOf } from '../conformance/suite-support.ts';
import { server } from '../support/service-world.ts';
import { memorySettings, type MemorySettings } from '../support/memory-settings.ts';

const bucket: DestinationSettings = { provider: 's3', bucket: 'mine', region: 'eu-central-1', prefix: 'home', sse: 'AES256' };
const drive: DestinationSettings = { provider: 'google-drive', folder: 'Backups', clientId: 'mine' };

let memory: MemorySettings;
let told: string[];
let whileTried: () => void;

const signIns: SignIns = {
  brought: (id: string) => {
    if (id !== 'done') throw new Fault('not-found', 'unknown');
    return { settings: { ...drive, clientId: 'other' }, secrets: { refreshToken: 'new token' }, at: 77 };
  },
  forget: (id: string) => void told.push(`forgotten ${id}`),
} as Pick<SignIns, 'brought' | 'forget'> as SignIns;

beforeEach(() => {
  told = [];
  whileTried = () => undefined;
  memory = memorySettings({ destinations: { cloud: { settings: bucket }, home: { settings: drive, signedInAt: 5 } } });
  for (const [name, value] of [
    ['cloud/accessKeyId', 'id'],
    ['cloud/secretAccessKey', 'key'],
    ['cloud/sessionToken', 'session'],
    ['cloud/password', 'words'],
    ['home/clientSecret', 'old client'],
    ['home/refreshToken', 'old token'],
  ] as const)
    memory.secrets.set(`destination/${name}`, value);
});

async function edit(
  request: Omit<CallRequest<'destination.edit'>, 'secrets' | 'moves' | 'look'> & Record<string, unknown>,
  signal = new AbortController().signal,
) {
  const handler = destinationEdit({
    ...{ host: memory.host, signIns },
    tryPassword: async (name, at, secrets, password) => {
      told.push(`tried ${name} with ${password} and ${secrets['accessKeyId'] ?? 'nothing'}`);
      whileTried();
      if (at.provider === 's3' && at.bucket === 'theirs') throw new Fault('wrong-password', 'not this one');
    },
    moved: (name) => void told.push(`moved ${name}`),
    changed: () => void told.push('changed'),
  });
  return await handler(editedDestinationSchema.parse(request), signal);
}

const kept = (name: string): string | undefined => memory.secrets.get(`destination/${name}`);

describe('a destination that is edited', () => {
  test('keeps the secrets that are left empty, takes those that are given, and forgets those that are null', async () => {
    expect(await edit({ name: 'cloud', secrets: { accessKeyId: 'id 2', secretAccessKey: '', sessionToken: null } })).toEqual({
      moved: false,
    });
    expect(['accessKeyId', 'secretAccessKey', 'sessionToken', 'password'].map((name) => kept(`cloud/${name}`))).toEqual([
      ...['id 2', 'key', undefined, 'words'],
    ]);
    expect(memory.current().destinations['cloud']).toEqual({ settings: bucket });
    expect(told).toEqual(['changed']);
  });

  test('changes nothing once whoever asked has hung up, also while the other store is looked at', async () => {
    const stop = new AbortController();
    whileTried = () => stop.abort();
    const request = { name: 'cloud', settings: { ...bucket, bucket: 'other' }, secrets: { accessKeyId: 'id 2' }, moves: true };
    await expect(edit(request, stop.signal)).rejects.toThrow(stop.signal.reason);
    expect([memory.current().destinations['cloud'], kept('cloud/accessKeyId')]).toEqual([{ settings: bucket }, 'id']);
    expect(told).toEqual(['tried cloud with words and id 2']);
  });

  test('does not open the keychain for what is no secret', async () => {
    memory.locked = true;
    await edit({ name: 'cloud', settings: { ...bucket, storageClass: 'STANDARD_IA' } });
    expect(memory.current().destinations['cloud']?.settings).toMatchObject({ storageClass: 'STANDARD_IA', sse: 'AES256' });
  });

  test('is pointed elsewhere only when that is said, and only where its password opens what is stored', async () => {
    const elsewhere = { ...bucket, bucket: 'other' };
    expect(await codeOf(edit({ name: 'cloud', settings: elsewhere }))).toBe('config-invalid');
    const theirs = { name: 'cloud', settings: { ...bucket, bucket: 'theirs' }, secrets: { accessKeyId: 'new id' }, moves: true };
    expect(await codeOf(edit(theirs))).toBe('wrong-password');
    expect([memory.current().destinations['cloud']?.settings, kept('cloud/accessKeyId')]).toEqual([bucket, 'id']);
    expect(await edit({ name: 'cloud', settings: elsewhere, moves: true })).toEqual({ moved: true });
    expect(memory.current().destinations['cloud']?.settings).toEqual(elsewhere);
    expect(told).toEqual(['tried cloud with words and new id', 'tried cloud with words and id', 'moved cloud', 'changed']);
  });

  test('asks the other store nothing where nobody wants to look', async () => {
    expect(await edit({ name: 'cloud', settings: { ...bucket, bucket: 'theirs' }, moves: true, look: false })).toEqual({ moved: true });
    expect(told).toEqual(['moved cloud', 'changed']);
  });

  test('is not pointed into the folder of a server that goes there, nor around it', async () => {
    memory = memorySettings(
      {
        destinations: { nas: { settings: { provider: 'folder', path: '/mnt/nas' } } },
        servers: [
          server({ folder: '/srv/two', destinations: ['nas'] }),
          server({ folder: '/srv/three', slug: 'three', destinations: ['away'] }),
        ],
      },
      { realPlace: (path) => Promise.resolve(path.replace('/by-link', '/srv')) },
    );
    const to = async (path: string): Promise<unknown> => {
      try {
        return await edit({ name: 'nas', settings: { provider: 'folder', path }, moves: true });
      } catch (error) {
        return asFault(error, 'edit').context['say'];
      }
    };
    expect(await to('/by-link/two/backups')).toBe('place-in-folder');
    expect(await to('/by-link')).toBe('folder-in-place');
    expect(memory.current().destinations['nas']?.settings).toEqual({ provider: 'folder', path: '/mnt/nas' });
    // A server that goes elsewhere is none of its business.
    expect(await to('/srv/three/backups')).toEqual({ moved: true });
  });

  test('stays of its kind, and takes no secret of another', async () => {
    expect(await codeOf(edit({ name: 'cloud', settings: { provider: 'folder', path: '/mnt' }, moves: true }))).toBe('config-invalid');
    expect(await codeOf(edit({ name: 'cloud', secrets: { applicationKey: 'x' } }))).toBe('config-invalid');
    expect(await codeOf(edit({ name: 'none', secrets: {} }))).toBe('not-found');
    expect(told).toEqual([]);
  });

  test('with another client id wants a sign-in, which brings its token and takes the old secret away', async () => {
    const settings = { ...drive, clientId: 'other' };
    expect(await codeOf(edit({ name: 'home', settings }))).toBe('config-invalid');
    expect(await edit({ name: 'home', settings, signIn: 'done' })).toEqual({ moved: false });
    expect(memory.current().destinations['home']).toEqual({ settings, signedInAt: 77 });
    expect([kept('home/refreshToken'), kept('home/clientSecret')]).toEqual(['new token', undefined]);
    expect(told).toEqual(['forgotten done', 'changed']);
  });
});

test.each<[DestinationSettings, Record<string, unknown>, boolean]>([
  [{ provider: 'folder', path: '/mnt/nas' }, { path: '/mnt/nas/' }, true],
  [{ provider: 'folder', path: '/mnt/nas' }, { path: '/mnt/other' }, false],
  [bucket, { region: 'eu-west-1', storageClass: 'STANDARD_IA', pathStyle: true, prefix: '/home/' }, true],
  [bucket, { prefix: undefined }, false],
  [bucket, { endpoint: 'https://s3.example.org' }, false],
  [{ provider: 's3', bucket: 'mine', preset: 'hetzner', region: 'fsn1' }, { region: 'nbg1' }, false],
  [drive, { clientId: 'another' }, true],
  [drive, { folder: 'Other' }, false],
  [{ provider: 'backblaze-b2', bucket: 'my-backups' }, { prefix: 'home' }, false],
])('%j with %j is the same place: %j', (at, change, same) => {
  expect(isSamePlace(at, { ...at, ...change })).toBe(same);
});

test('what was proven in the store of before is not said of the new one', () => {
  const checks = { 'drill/nas': { ok: 9, tried: 9 }, 'drill/cloud': { ok: 4, tried: 5 }, 'verify/nas': { ok: 8, tried: 8 } };
  const facts = { since: 1, ...noFacts, lastProven: 9, lastVerified: 8, checks };
  expect(factsAfterMove(facts, 'nas')).toEqual({
    ...facts,
    lastProven: 4,
    lastVerified: null,
    checks: { 'drill/cloud': checks['drill/cloud'] },
  });
  expect(factsAfterMove({ ...facts, checks: {} }, 'nas').lastProven).toBeNull();
});
