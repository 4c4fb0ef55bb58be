import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../main/adapters/system/clock.ts';
import { systemRandom } from '../../main/adapters/system/random.ts';
import { Fault } from '../../main/contract/faults.ts';
import { vaultName } from '../../main/engine/archive/vault.ts';
import type { Backend } from '../../main/engine/storage/backend.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { standardStack } from '../../main/engine/storage/stack.ts';
import type { Hold } from '../support/clouds/fault-proxy.ts';
import { contents, password, put, world, type World } from '../support/engine-on-memory.ts';
import { tempFolder } from '../support/temp-folder.ts';

export interface VaultCloud {
  /** A place by its name, for one machine: nothing is shared with another's. Through the line that is held up. */
  open(place: string): Backend;
  /** The same past that line and all that is hidden. */
  plain(place: string): Backend;
  /** The request after which the vault is there. */
  isVaultWrite(request: IncomingMessage): boolean;
  /** One before it after which there is something else that only one of two machines should make. */
  isFirstWrite?(request: IncomingMessage): boolean;
  close(): Promise<void>;
}

/** Makes the server tell of the vault what it should not. Settles to what ends that. */
export type Way<C extends VaultCloud> = (cloud: C, place: string, former: Buffer) => Promise<() => Promise<void> | void>;

export interface VaultSubject<C extends VaultCloud> {
  readonly start: (hold: Hold) => Promise<C>;
  /** Ways in which a vault is not there for who reads, until one is written. */
  readonly hidden: Readonly<Record<string, Way<C>>>;
  /** The first who reads a vault that is there does not find it. */
  readonly unseenOnce: Way<C>;
  /** Ways in which the former content is what is read. */
  readonly stale: Readonly<Record<string, Way<C>>>;
}

const recordSize = 92;
const second = 'another horse';

/** What is promised of a destination's vault, by the whole engine on a cloud that is not as it should be. */
export function describeVault<C extends VaultCloud>(name: string, { start, hidden, unseenOnce, stale }: VaultSubject<C>): void {
  describe(`the vault on ${name}`, () => {
    const base = mkdtempSync(join(tmpdir(), 'holdfast-vault-'));
    const folder = join(base, 'world');
    let cloud: C | undefined;
    let hold: Hold = () => undefined;
    let places = 0;

    beforeAll(async () => {
      mkdirSync(folder);
      writeFileSync(join(folder, 'level.dat'), 'blocks');
      cloud = await start((request) => hold(request));
    });
    afterAll(async () => {
      await cloud?.close();
      rmSync(base, { recursive: true, force: true });
    });
    beforeEach(() => {
      hold = () => undefined;
    });

    const on = (): C => {
      if (cloud === undefined) throw new Error('no server');
      return cloud;
    };
    const machine = (place: string, id: string, by = password): World =>
      world({
        backend: standardStack(on().open(place), { clock: systemClock, random: systemRandom }).backend,
        machine: id,
        credentials: { kind: 'password', password: by },
      });
    const stored = async (place: string): Promise<Buffer> =>
      Buffer.from(await readBytes(on().plain(place), vaultName, { limit: 1_000_000 }));

    /** Neither writes its vault before both have seen that there is none. With `inTurn` one ends before the other's vault arrives. */
    async function racing(inTurn: boolean): Promise<{ readonly place: string; readonly one: World; readonly two: World }> {
      const place = `place-${++places}`;
      const ended = Promise.withResolvers<void>();
      const first = waitingForTwo();
      const vaults = waitingForTwo(inTurn ? ended.promise : undefined);
      hold = (request) => {
        if (on().isVaultWrite(request)) return vaults.arrive();
        return on().isFirstWrite?.(request) === true ? first.arrive() : undefined;
      };
      const [one, two] = [machine(place, 'one'), machine(place, 'two')];
      const backups = [one.backup(folder, { server: 'first' }), two.backup(folder, { server: 'second' })];
      await Promise.race(backups).finally(ended.resolve);
      await Promise.all(backups);
      expect(vaults.count()).toBeGreaterThanOrEqual(2);
      expect(first.count()).toBeGreaterThanOrEqual(on().isFirstWrite === undefined ? 0 : 2);
      return { place, one, two };
    }

    /** Every snapshot of both machines opens and is whole, for a machine that knows nothing yet. */
    async function allOpen(place: string, by: string, count: number, quick = false): Promise<void> {
      const { damage, snapshots } = await machine(place, 'three', by).verify({ quick });
      expect([damage, snapshots.map(({ ok }) => ok)]).toEqual([[], Array.from({ length: count }, () => true)]);
    }

    async function isChanged(place: string): Promise<void> {
      const refused = await fault(machine(place, 'three').verify({ quick: true }));
      expect([refused.code, refused.message]).toEqual(['wrong-password', expect.stringContaining('has been changed')]);
    }

    test.each([
      ['their vaults arrive at once', false],
      ['one has finished when the vault of the other arrives', true],
    ])('two machines make it at the same moment, %s: all of both opens, also after a change of password', async (_, inTurn) => {
      const { place, one } = await racing(inTurn);
      const vault = await stored(place);
      for (const [key, bytes] of await contents(on().plain(place))) {
        if (key.endsWith('.manifest')) expect([key, recordsOf(vault)]).toEqual([key, expect.arrayContaining([headOf(bytes)])]);
      }
      await allOpen(place, password, 2);
      await one.engine.changePassword(one.destination, { newPassword: second, newKey: false }, {});
      await allOpen(place, second, 2);
      await isChanged(place);
      for (const server of ['first', 'second']) {
        const target = join(tempFolder(), 'back');
        await machine(place, 'three', second).restore(target, { server });
        expect(readFileSync(join(target, 'level.dat'), 'utf8')).toBe('blocks');
      }
    });

    test.each(Object.entries(hidden))('%s: it is rebuilt, never made anew', async (_, hide) => {
      const { place, one, two } = await racing(false);
      const vault = await stored(place);
      const show = await hide(on(), place, vault);
      await allOpenButVault(machine(place, 'three'));
      expect((await fault(machine(place, 'three', 'never was one').verify({ quick: true }))).code).toBe('wrong-password');
      await two.backup(folder, { server: 'second', force: true });
      await show();
      expect(new Set(recordsOf(await stored(place)))).toEqual(new Set(recordsOf(vault)));
      await allOpen(place, password, 3, true);
      await one.engine.changePassword(one.destination, { newPassword: second, newKey: false }, {});
      await allOpen(place, second, 3);
      await isChanged(place);
    });

    test('unseen once after a change of password: who knows the former one does not undo the change', async () => {
      const { place, one, two } = await racing(false);
      const former = await stored(place);
      await one.engine.changePassword(one.destination, { newPassword: second, newKey: false }, {});
      const vault = await stored(place);
      const show = await unseenOnce(on(), place, former);
      const refused = await fault(two.backup(folder, { server: 'second', force: true }));
      await show();
      expect([refused.code, refused.message]).toEqual(['wrong-password', expect.stringContaining('has been changed')]);
      expect(recordsOf(await stored(place))).toEqual(recordsOf(vault));
      await allOpen(place, second, 2, true);
    });

    /** It is told that the vault is missing, and that is all. */
    async function allOpenButVault(reader: World): Promise<void> {
      const { damage, snapshots } = await reader.verify({ quick: true });
      expect([damage, snapshots.map(({ ok }) => ok)]).toEqual([[expect.objectContaining({ object: vaultName })], [true, true]]);
    }

    test.each(Object.entries(stale))('%s: no key is made, none is lost, and the present one counts again', async (_, age) => {
      const { place, one, two } = await racing(false);
      const former = await stored(place);
      await one.engine.changePassword(one.destination, { newPassword: second, newKey: false }, {});
      const present = await stored(place);
      const renew = await age(on(), place, former);
      await allOpen(place, password, 2, true);
      const refused = await fault(machine(place, 'two', second).backup(folder, { server: 'second', force: true }));
      expect(refused.code).toBe('wrong-password');
      await two.backup(folder, { server: 'second', force: true });
      await renew();
      expect(recordsOf(await stored(place))).toEqual(recordsOf(present));
      await allOpen(place, second, 3);
      await isChanged(place);
    });

    test.each(Object.entries(stale))('%s: a machine whose own record it lacks loses nothing', async (_, age) => {
      const { place, one, two } = await racing(false);
      const vault = await stored(place);
      const renew = await age(on(), place, vault.subarray(0, recordSize));
      for (const [server, owner] of [['first', one] as const, ['second', two] as const])
        await owner.backup(folder, { server, force: true });
      await renew();
      await allOpen(place, password, 4, true);
      await one.engine.changePassword(one.destination, { newPassword: second, newKey: false }, {});
      await allOpen(place, second, 4);
      await isChanged(place);
    });
  });
}

/** Reads only of the content; then that it was put there by hand, and is replaced by hand. */
export function putByHand<C extends VaultCloud>(
  writer: (cloud: C, place: string) => Backend = (cloud, place) => cloud.plain(place),
): Way<C> {
  return async (cloud, place, former) => {
    const present = await readBytes(cloud.plain(place), vaultName, { limit: 1_000_000 });
    await put(writer(cloud, place), vaultName, former);
    return async () => {
      // What has been written meanwhile is the newest there is.
      const now = await readBytes(cloud.plain(place), vaultName, { limit: 1_000_000 });
      if (former.equals(now)) await put(writer(cloud, place), vaultName, present);
    };
  };
}

export async function removed(cloud: VaultCloud, place: string): Promise<() => void> {
  await cloud.plain(place).remove(vaultName);
  return () => undefined;
}

/** The first waits for the second, and the second for `more`; later ones pass. */
function waitingForTwo(more?: Promise<void>): { arrive(): Promise<void> | undefined; count(): number } {
  const both = Promise.withResolvers<void>();
  let arrived = 0;
  return {
    arrive() {
      if (++arrived === 1) return both.promise;
      both.resolve();
      return arrived === 2 ? more : undefined;
    },
    count: () => arrived,
  };
}

const headOf = (bytes: Buffer): string => bytes.subarray(0, recordSize).toString('hex');

/** The records of a vault, each as text. */
function recordsOf(vault: Buffer): readonly string[] {
  return Array.from({ length: vault.byteLength / recordSize }, (_, index) => headOf(vault.subarray(index * recordSize)));
}

async function fault(act: Promise<unknown>): Promise<Fault> {
  const error: unknown = await act.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}
