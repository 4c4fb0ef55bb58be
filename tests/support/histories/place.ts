import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Fault } from '../../../main/contract/faults.ts';
import type { BackupReport, WholeRule } from '../../../main/contract/reports.ts';
import { formatRecoveryKey } from '../../../main/engine/archive/vault.ts';
import type { Credentials, OpenDestination } from '../../../main/engine/engine.ts';
import { loadVault } from '../../../main/engine/snapshots/vault-store.ts';
import type { Backend, ObjectInfo } from '../../../main/engine/storage/backend.ts';
import { differences, seeTree, type SeenEntry } from '../compare-trees.ts';
import { password } from '../engine-on-memory.ts';
import { described } from './described.ts';
import { namesIn } from './edits.ts';
import { expectedSending, type Sending } from './expected-sending.ts';
import type { Recorded } from './ground.ts';
import { stampsOf } from './links.ts';
import type { Machine } from './machine.ts';
import { StoredSnapshots, type ReadPartial, type ReadSnapshot } from './stored-snapshots.ts';
import { assertSent, counting, type Counted } from './taken-in.ts';
import { idOf, isWhole, isWholeDue, lastWritten, partialsThatCount } from './told.ts';

/** One run as it is seen from a destination, before it begins. */
export interface Expected {
  readonly machine: Machine;
  readonly source: string;
  readonly sending: Sending;
  /** Of runs that were cut off. */
  readonly unfinished: ReadonlySet<string>;
  readonly tree: Map<string, SeenEntry>;
  /** Nothing has been touched since the last snapshot, and this machine can know it. */
  readonly unchanged: boolean;
}

export interface KeptSnapshot extends ReadSnapshot {
  readonly whole: boolean;
}

const byPassword: Credentials = { kind: 'password', password };

/** One destination: what it holds, and what the rules make of that. */
export class Place {
  readonly backend: Backend;
  readonly #key: Credentials;
  readonly stored: StoredSnapshots;
  readonly #name = randomUUID();
  readonly #takenIn: Counted['take'];
  /** What the folder was when each snapshot was made. */
  readonly #trees = new Map<string, Map<string, SeenEntry>>();
  /** By their keys all manifests and partials that were ever there. */
  readonly #ever = new Map<string, ReadSnapshot | ReadPartial>();
  #objects: readonly ObjectInfo[] = [];
  /** What the last run that was believed has seen of the folder. */
  #seen: { readonly id: string; readonly stamps: string } | null = null;

  private constructor({ backend, take }: Counted, key: Credentials, stored: StoredSnapshots) {
    this.backend = backend;
    this.#key = key;
    this.stored = stored;
    this.#takenIn = take;
  }

  static async made(inner: Backend, machine: Machine): Promise<Place> {
    const counted = counting(inner);
    const vault = await loadVault(counted.backend, { credentials: byPassword, create: machine.at(counted.backend, byPassword).host });
    const key: Credentials = { kind: 'recovery-key', text: formatRecoveryKey(vault.vaultKey) };
    return new Place(counted, key, new StoredSnapshots(counted.backend, vault));
  }

  /** Once there is a snapshot the recovery key, which takes less time than a password. */
  get credentials(): Credentials {
    return this.keys('.manifest').length === 0 ? byPassword : this.#key;
  }

  /** Through another backend, which may fail. */
  opened(backend = this.backend): OpenDestination {
    return { backend, credentials: this.credentials, settings: { provider: 'memory', place: this.#name } };
  }

  keys(ending: string): readonly string[] {
    return this.#objects.flatMap(({ key }) => (key.endsWith(ending) ? key : []));
  }

  /** What runs go on from; null before the first one that came to its end. */
  get base(): ReadSnapshot | null {
    const key = lastWritten(this.#ending('.manifest'))?.key;
    return key === undefined ? null : (this.#ever.get(key) as ReadSnapshot);
  }

  #ending(ending: string): readonly ObjectInfo[] {
    return this.#objects.filter(({ key }) => key.endsWith(ending));
  }

  #unfinished(now: number): readonly Recorded[] {
    return partialsThatCount(this.#objects, now).flatMap(({ key }) => this.#ever.get(key) ?? []);
  }

  /** The machine that may write without being told to take over; null: whichever comes. */
  owner(now: number): string | null {
    const partial = partialsThatCount(this.#objects, now).at(-1);
    return ((partial === undefined ? undefined : this.#ever.get(partial.key)) ?? this.base)?.header.machine ?? null;
  }

  /** Looks at what is there. New snapshots are of the folder as it is now. */
  async look(tree?: Map<string, SeenEntry>): Promise<void> {
    const objects: ObjectInfo[] = [];
    for await (const info of this.backend.list('')) objects.push(info);
    this.#objects = objects;
    for (const { key } of objects) {
      if (this.#ever.has(key) || !/\.(manifest|partial)$/.test(key)) continue;
      const isSnapshot = key.endsWith('.manifest');
      this.#ever.set(key, await (isSnapshot ? this.stored.read(key) : this.stored.readPartial(key)));
      if (isSnapshot && tree !== undefined) this.#trees.set(idOf(key), tree);
    }
  }

  expect(machine: Machine, source: string, rule: WholeRule, now: number): Expected {
    const { base } = this;
    const whole = base !== null && (typeof rule === 'number' ? isWholeDue(base.header, this.#objects, rule, now) : rule === 'always');
    const unfinished = this.#unfinished(now);
    const cutOffRuns = new Set(unfinished.flatMap(({ header: { id, takenOver = [] } }) => [id, ...takenOver]));
    // A whole snapshot builds on what nobody else does.
    const isUsable = (key: string): boolean => !this.stored.isHarmed(key) && (!whole || cutOffRuns.has(idOf(key)));
    const recorded = [...(whole || base === null ? [] : [base]), ...unfinished];
    this.#takenIn();
    const isSeen = base !== null && this.#seen?.id === base.header.id && this.#seen.stamps === stampsOf(source, namesIn(source));
    const isSound = base?.header.archives.every(({ key }) => !this.stored.isHarmed(key)) === true;
    const isAsked = rule === 'always' && base !== null && !isWhole(base.header);
    return {
      ...{ machine, source },
      sending: expectedSending(source, { recorded, isUsable, ever: whole ? unfinished : [...this.#ever.values()] }),
      unfinished: new Set(unfinished.map(({ header }) => header.id)),
      tree: seeTree(source, { owners: false }),
      unchanged: isSeen && isSound && !isAsked && machine.believesStamps && base.header.machine === machine.id,
    };
  }

  /** A run has ended here, one way or another. Returns whether it built on what others which were cut off have stored. */
  async ended(outcome: BackupReport | Fault, expected: Expected): Promise<boolean> {
    const { machine, source, sending, tree, unfinished } = expected;
    const taken = this.#takenIn();
    // Also of a run that is cut off nothing came that was stored before.
    assertSent(taken, sending.mostBytes, sending.entries);
    await this.look(tree);
    if (outcome instanceof Fault) return false;
    assert.ok(!expected.unchanged || outcome.outcome === 'unchanged', 'a snapshot was written of a folder that nobody had touched');
    if (outcome.outcome === 'unchanged') {
      assert.ok(!machine.seesFuture, 'stamps of the future were believed');
      assert.equal(taken.archives, 0, 'a run that found nothing changed has sent archives');
      this.#assertTree(outcome.id, tree, 'is not what the folder is, and it was told as unchanged');
      return false;
    }
    const { files, bytes } = outcome.kept;
    const [least, most] = sending.keptFiles;
    assert.ok(files >= least && files <= most, `${files} files were kept, and ${least} to ${most} are stored`);
    assert.ok(outcome.bytes - bytes <= sending.mostBytes, `${outcome.bytes - bytes} bytes count as sent, and ${sending.mostBytes} are new`);
    assertSent(taken, outcome.bytes - bytes, sending.entries);
    const isTold = outcome.warnings.some(({ code }) => code === 'prune');
    if (!isTold) assert.deepEqual(this.keys('.partial'), [], 'what was written down is still there beside the snapshot');
    this.#seen = machine.believesStamps ? { id: outcome.id, stamps: stampsOf(source, namesIn(source)) } : null;
    const { header } = this.#ever.get(`survival/${outcome.id}.manifest`) as ReadSnapshot;
    return header.archives.some(({ key }) => unfinished.has(idOf(key)));
  }

  /** Nothing but the small object that the provider's clock is read from may have come, and nothing may have gone. */
  async assertUntouched(before: readonly string[]): Promise<void> {
    const { archives, rest } = this.#takenIn();
    assert.ok(archives === 0 && rest <= 2, `${archives + rest} bytes came with what was refused`);
    assert.deepEqual(await this.everything(), before, 'what was refused has left something, or taken it away');
  }

  /** All keys, and the uploads that were begun. */
  async everything(): Promise<readonly string[]> {
    this.#takenIn();
    const all: string[] = [];
    for await (const { key } of this.backend.list('')) all.push(key);
    for await (const { token } of this.backend.openUploads('survival/')) all.push(`upload ${token}`);
    return all.sort();
  }

  /** Every snapshot that is there: its archives are, it describes the folder as it was, and it is listed as what it is. */
  async checkKept(machine: Machine, now: number): Promise<readonly KeptSnapshot[]> {
    await this.look();
    const keys = new Set(this.keys(''));
    const snapshots = this.keys('.manifest').map((key) => this.#ever.get(key) as ReadSnapshot);
    for (const { header } of [...snapshots, ...this.#unfinished(now)]) {
      for (const { key } of header.archives)
        assert.ok(keys.has(key) || this.stored.isTakenAway(key), `${header.id} names ${key}, which was removed`);
    }
    const { engine } = machine.at(this.backend, this.credentials);
    const rows = new Map((await engine.snapshots(this.opened(), {}, {})).map((row) => [row.id, row]));
    const kept: KeptSnapshot[] = [];
    for (const read of snapshots) {
      const { id, archives } = read.header;
      const whole = (await this.#checkEntries(read)) && archives.every((archive) => keys.has(archive.key));
      assert.equal(rows.get(id)?.complete, whole, `${id} is ${whole ? 'whole' : 'not whole'}, and is listed as something else`);
      kept.push({ ...read, whole });
    }
    const newest = this.latest(kept)?.header.id;
    assert.deepEqual(
      [...rows.values()].flatMap(({ id, newest: is }) => (is ? id : [])),
      newest === undefined ? [] : [newest],
    );
    return kept.sort((a, b) => (a.header.id < b.header.id ? -1 : 1));
  }

  /** What `latest` means. */
  latest(kept: readonly KeptSnapshot[]): KeptSnapshot | undefined {
    const whole = new Map(kept.filter((one) => one.whole).map((one) => [one.header.id, one]));
    let left = this.#ending('.manifest');
    // In the order of all of them, the damaged ones included: they say which was there when another was written.
    for (let last = lastWritten(left); last !== undefined; last = lastWritten(left)) {
      const found = whole.get(idOf(last.key));
      if (found !== undefined) return found;
      left = left.filter((one) => one !== last);
    }
    return undefined;
  }

  /** Whether all of a snapshot's files can be read; those that can be have to be what they were. */
  async #checkEntries(read: ReadSnapshot): Promise<boolean> {
    let whole = true;
    const tree = await described(read.entries, async (entry) => {
      if (this.stored.isWhole(read, entry)) return await this.stored.sha256Of(read, entry);
      whole = false;
      return this.#treeOf(read.header.id).get(entry.path)?.content ?? '';
    });
    this.#assertTree(read.header.id, tree, 'describes something else');
    return whole;
  }

  #treeOf(id: string): Map<string, SeenEntry> {
    return this.#trees.get(id) ?? assert.fail(`nobody knows what ${id} is of`);
  }

  /** Holes are for the file system to make. */
  #assertTree(id: string, tree: Map<string, SeenEntry>, words: string): void {
    assert.deepEqual(differences(this.#treeOf(id), tree, { ignore: ['holes'] }), [], `${id} ${words}`);
  }

  assertRestored(id: string, folder: string): void {
    assert.deepEqual(seeTree(folder, { owners: false }), this.#treeOf(id), `${id} is restored as something else`);
  }
}
