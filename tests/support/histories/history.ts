import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadPacker } from '../../../main/adapters/compute/pack/packer.ts';
import { threadScan } from '../../../main/adapters/compute/scan/scanner.ts';
import { Fault } from '../../../main/contract/faults.ts';
import type { RunContext } from '../../../main/contract/reports.ts';
import { formatRecoveryKey } from '../../../main/engine/archive/vault.ts';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { readBytes } from '../../../main/engine/storage/read-object.ts';
import { readObjectName, volumeOf } from '../../../main/engine/snapshots/names.ts';
import { loadVault } from '../../../main/engine/snapshots/vault-store.ts';
import { seeTree, type SeenEntry } from '../compare-trees.ts';
import { flipped, headSize } from '../damage.ts';
import { backupRequest, keysOf, newStateDir, put, world, type World } from '../engine-on-memory.ts';
import { cutOff } from './cut-off.ts';
import { addFile, addLarge, addSeveral, edit } from './edits.ts';
import { expectedSending, type Sending } from './expected-sending.ts';
import { diceOf, type Dice, type Step } from './steps.ts';
import { StoredSnapshots, type ReadPartial, type ReadSnapshot } from './stored-snapshots.ts';
import { assertSent, counting, type Counted, type TakenIn } from './taken-in.ts';

const hour = 3_600_000;
const limit = 2 ** 30;
/** Several a run; of a large file, not a hundred. */
const volumeSizes = { small: 2 ** 16, large: 2 ** 22 };

export interface Played {
  readonly runs: number;
  readonly cutOff: number;
  /** Runs that built on what others which were cut off have stored. */
  readonly goneOn: number;
  readonly restores: number;
}

/** Plays a history with the real engine on real files in `destination`, which is empty; throws at the first thing that is not as it must be. */
export async function playHistory(steps: readonly Step[], destination: Backend): Promise<Played> {
  const place = mkdtempSync(join(tmpdir(), 'holdfast-history-'));
  try {
    const history = await History.begin(place, destination);
    for (const { kind, seed } of steps) await history.step(kind, diceOf(seed));
    await history.end(diceOf(steps.length));
    return history.played;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

class History {
  readonly #place: string;
  readonly #source: string;
  #machines: readonly World[];
  readonly #stored: StoredSnapshots;
  readonly #takenIn: Counted['take'];
  /** What the folder was when each snapshot was made. */
  readonly #trees = new Map<string, Map<string, SeenEntry>>();
  #machine = 0;
  #volumeSize = volumeSizes.small;
  #base: ReadSnapshot | null = null;
  /** What runs since then that were cut off have written down, the oldest first. */
  #unfinished: readonly ReadPartial[] = [];
  readonly played = { runs: 0, cutOff: 0, goneOn: 0, restores: 0 };

  private constructor(place: string, machines: readonly World[], stored: StoredSnapshots, takenIn: Counted['take']) {
    this.#place = place;
    this.#source = join(place, 'source');
    this.#machines = machines;
    this.#stored = stored;
    this.#takenIn = takenIn;
    mkdirSync(join(this.#source, 'below'), { recursive: true });
    const dice = diceOf(1);
    for (let file = 0; file < 6; file += 1) addFile(this.#source, dice);
  }

  /** With a first snapshot; from then on the recovery key opens the destination, which takes less time than a password. */
  static async begin(place: string, destination: Backend): Promise<History> {
    const { backend, take } = counting(destination);
    // To the first machine all files are an hour old. To the second they are young: it reads them all.
    const old = { packer: threadPacker({ clockOffset: hour }), scan: threadScan({ clockOffset: hour }) };
    const first = world({ backend, host: old, machine: 'machine-0' });
    const { credentials } = first.destination;
    const vault = await loadVault(backend, { credentials, create: first.host });
    const history = new History(place, [first], new StoredSnapshots(backend, vault), take);
    await history.#backup(false);
    const key = { kind: 'recovery-key', text: formatRecoveryKey(vault.vaultKey) } as const;
    history.#machines = [old, { packer: threadPacker() }].map((host, index) =>
      world({ backend, host, credentials: key, machine: `machine-${index}`, stateDir: newStateDir() }),
    );
    return history;
  }

  async step(kind: Step['kind'], dice: Dice): Promise<void> {
    if (kind === 'large') {
      this.#volumeSize = volumeSizes.large;
      addLarge(this.#source, dice);
    } else if (kind === 'edit') edit(this.#source, dice);
    else if (kind === 'other-machine') this.#machine = 1 - this.#machine;
    else if (kind === 'cut-off') await this.#cutOff(dice);
    else if (kind === 'harm') await this.#harm(dice);
    else if (kind === 'prune') await this.#prune(dice);
    else await this.#backup(kind === 'whole-backup');
  }

  /** A last run heals what can be healed; then one of all that is kept is restored for real. */
  async end(dice: Dice): Promise<void> {
    await this.#backup(false);
    const kept = await this.#checkKept();
    const newest = kept.at(-1);
    assert.equal(newest?.whole, true, 'the newest snapshot is not whole');
    const one = dice(2) === 0 ? newest : kept[dice(kept.length)];
    if (one !== undefined) await this.#restore(one.id, one.whole);
  }

  get #one(): World {
    const machine = this.#machines[this.#machine];
    if (machine === undefined) throw new Error('no machine');
    return machine;
  }

  async #backup(whole: boolean): Promise<void> {
    const outcome = await this.#run(this.#one, whole);
    this.played.runs += 1;
    if (outcome === 'unchanged') return;
    assert.deepEqual(await this.#keys('.partial'), [], 'what was written down is still there beside the snapshot');
  }

  async #run(one: World, whole: boolean, run: RunContext = {}): Promise<'written' | 'unchanged'> {
    const unfinished = new Set(this.#unfinished.map(({ header }) => header.id));
    const expected = this.#expected(whole);
    const rules = { takeOver: true, volumeSize: this.#volumeSize, whole: whole ? 'always' : 'never' } as const;
    this.#takenIn();
    let taken: TakenIn | null = null;
    const backup = one.engine.backup(one.destination, backupRequest(this.#source, rules), run);
    // Also of a run that is cut off nothing came that was stored before.
    const report = await backup.finally(() => {
      taken = this.#takenIn();
      assertSent(taken, expected.mostBytes, expected.entries);
    });
    this.#trees.set(report.id, seeTree(this.#source, { owners: false }));
    if (report.outcome === 'unchanged') return report.outcome;
    const { files, bytes } = report.kept;
    const [least, most] = expected.keptFiles;
    assert.ok(files >= least && files <= most, `${files} files were kept, and ${least} to ${most} are stored`);
    assert.ok(report.bytes - bytes <= expected.mostBytes, `${report.bytes - bytes} bytes count as sent, and ${expected.mostBytes} are new`);
    if (taken !== null) assertSent(taken, report.bytes - bytes, expected.entries);
    const { header } = await this.#begun(report.id);
    if (header.archives.some(({ key }) => unfinished.has(readObjectName(key)?.id ?? ''))) this.played.goneOn += 1;
    return report.outcome;
  }

  #expected(whole: boolean): Sending {
    const settled = new Set(this.#base?.header.archives.map(({ key }) => key));
    const recorded = [...(whole || this.#base === null ? [] : [this.#base]), ...this.#unfinished];
    return expectedSending(this.#source, recorded, (key) => !this.#stored.isHarmed(key) && !(whole && settled.has(key)));
  }

  /** A snapshot is there: the next run is compared with it. */
  async #begun(id: string): Promise<ReadSnapshot> {
    this.#unfinished = [];
    this.#base = await this.#stored.read(`survival/${id}.manifest`);
    return this.#base;
  }

  async #keys(ending: string): Promise<readonly string[]> {
    return (await keysOf(this.#one.backend)).filter((key) => key.endsWith(ending));
  }

  /** A run that has enough to do for several volumes, and ends at any call, if it makes so many. */
  async #cutOff(dice: Dice): Promise<void> {
    addSeveral(this.#source, dice);
    if (this.#volumeSize === volumeSizes.large && dice(2) === 0) addLarge(this.#source, dice);
    const { backend, signal } = cutOff(this.#one.backend, dice);
    const { host, destination } = this.#one;
    try {
      await this.#run(world({ backend, host, credentials: destination.credentials }), dice(4) === 0, { signal });
      this.played.runs += 1;
    } catch (error) {
      if (!(error instanceof Fault) || !['unavailable', 'quota-exceeded', 'cancelled'].includes(error.code)) throw error;
      this.played.cutOff += 1;
      await this.#lookAtLeft();
    }
    await this.#checkKept();
  }

  /** A manifest that had been written already makes a snapshot; else it is what was written down. */
  async #lookAtLeft(): Promise<void> {
    const id = (await this.#keys('.manifest')).map((key) => readObjectName(key)?.id ?? '').find((one) => !this.#trees.has(one));
    if (id !== undefined) {
      this.#trees.set(id, seeTree(this.#source, { owners: false }));
      await this.#begun(id);
      return;
    }
    const known = new Set([this.#base, ...this.#unfinished].map((one) => one?.header.id));
    const partials = (await this.#keys('.partial')).filter((key) => !known.has(readObjectName(key)?.id ?? ''));
    for (const key of partials.toSorted((a, b) => volumeOf(a) - volumeOf(b)))
      this.#unfinished = [...this.#unfinished, await this.#stored.readPartial(key)];
  }

  /** One archive of those that are there goes, or is damaged and found to be. */
  async #harm(dice: Dice): Promise<void> {
    const { backend } = this.#one;
    const archives = (await keysOf(backend)).filter((key) => key.endsWith('.holdfast') && !this.#stored.isHarmed(key));
    const key = archives[dice(archives.length)];
    if (key === undefined) return;
    // What no snapshot uses nobody looks at: damage there would not be found.
    const isUsed = (await this.#snapshots()).some(({ header }) => header.archives.some((archive) => archive.key === key));
    if (dice(2) === 0 || !isUsed) {
      this.#stored.harm(key, null);
      return await backend.remove(key);
    }
    const bytes = Buffer.from(await readBytes(backend, key, { limit }));
    const byte = headSize + dice(bytes.length - headSize);
    this.#stored.harm(key, byte);
    await put(backend, key, flipped(bytes, byte));
    // Each marks what its own snapshots use.
    for (const machine of this.#machines) await machine.verify();
  }

  async #prune(dice: Dice): Promise<void> {
    const before = await this.#checkKept();
    await this.#one.prune({ policy: { last: 1 + dice(3) }, takeOver: true });
    const after = await this.#checkKept();
    const newest = before.findLast(({ whole }) => whole);
    assert.ok(newest === undefined || after.some(({ id }) => id === newest.id), `the newest whole snapshot, ${newest?.id}, was removed`);
  }

  /** Every snapshot that is there: its archives are, its files have the content that they had, and it is listed as what it is. */
  async #checkKept(): Promise<readonly { readonly id: string; readonly whole: boolean }[]> {
    const keys = new Set(await keysOf(this.#one.backend));
    const complete = new Map((await this.#one.engine.snapshots(this.#one.destination, {}, {})).map((row) => [row.id, row.complete]));
    const kept: { id: string; whole: boolean }[] = [];
    const snapshots = await this.#snapshots();
    for (const { header } of [...snapshots, ...this.#unfinished]) {
      for (const { key } of header.archives)
        assert.ok(keys.has(key) || this.#stored.isTakenAway(key), `${header.id} names ${key}, which was removed`);
    }
    for (const read of snapshots) {
      const { id, archives } = read.header;
      const whole = (await this.#checkFiles(read)) && archives.every((archive) => keys.has(archive.key));
      assert.equal(complete.get(id), whole, `${id} is ${whole ? 'whole' : 'not whole'}, and is listed as something else`);
      kept.push({ id, whole });
    }
    return kept;
  }

  async #snapshots(): Promise<readonly ReadSnapshot[]> {
    const read: ReadSnapshot[] = [];
    for (const key of await this.#keys('.manifest')) read.push(await this.#stored.read(key));
    return read;
  }

  /** Whether all of a snapshot's files can be read; those that can be have to be what they were. */
  async #checkFiles(read: ReadSnapshot): Promise<boolean> {
    const tree = this.#trees.get(read.header.id);
    let whole = true;
    for (const entry of read.entries) {
      if (entry.type !== 'file') continue;
      if (!this.#stored.isWhole(read, entry)) whole = false;
      else assert.equal(await this.#stored.sha256Of(read, entry), tree?.get(entry.path)?.content, `${read.header.id}: ${entry.path}`);
    }
    return whole;
  }

  async #restore(id: string, whole: boolean): Promise<void> {
    const target = join(this.#place, `back-${id}`);
    this.played.restores += 1;
    try {
      await this.#one.restore(target, { snapshot: id });
    } catch (error) {
      if (!whole && error instanceof Fault && ['corrupt', 'truncated', 'not-found'].includes(error.code)) return;
      throw error;
    }
    assert.deepEqual(seeTree(target, { owners: false }), this.#trees.get(id), `${id} is restored as something else`);
  }
}
