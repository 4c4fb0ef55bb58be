import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { threadPacker } from '../../main/adapters/compute/pack/packer.ts';
import { memoryBackend } from '../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../main/contract/faults.ts';
import { readBytes } from '../../main/engine/storage/read-object.ts';
import { seeTree, type SeenEntry } from '../support/compare-trees.ts';
import { flipped, manifestLines, type ManifestLines } from '../support/damage.ts';
import { keysOf, newStateDir, put, type World } from '../support/engine-on-memory.ts';
import { anHourLater } from '../support/incremental.ts';
import { seededNumbers } from '../support/seeded-random.ts';
import { tempFolder } from '../support/temp-folder.ts';

/*
 * Random histories of one folder: every snapshot that is kept restores byte for byte, what a manifest names is never removed, and what has not
 * changed is not sent twice. HOLDFAST_SEED repeats one history, HOLDFAST_SLOW=1 makes a thousand runs.
 */

const slow = process.env['HOLDFAST_SLOW'] === '1';
const forMs = slow ? Number.POSITIVE_INFINITY : 30_000;
const wantedRuns = slow ? 1000 : Number.POSITIVE_INFINITY;
const limit = 2 ** 30;

class History {
  readonly #seed: number;
  readonly #next: () => number;
  readonly #backend = memoryBackend();
  readonly #source = tempFolder();
  readonly #machines: readonly World[];
  readonly #trees = new Map<string, Map<string, SeenEntry>>();
  /** Archives that this test has damaged or taken away. */
  readonly #lost = new Set<string>();
  #machine = 0;
  #last: ManifestLines | null = null;
  runs = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#next = seededNumbers(seed);
    const packer = threadPacker();
    // The second one's clock makes every file young: it reads them all.
    this.#machines = [
      anHourLater({ backend: this.#backend, stateDir: newStateDir() }),
      anHourLater({ backend: this.#backend, stateDir: newStateDir(), machine: 'machine-two', host: { packer } }),
    ];
    mkdirSync(join(this.#source, 'below'));
    for (let file = 0; file < 6; file += 1) this.#add();
  }

  async play(steps: number): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      for (let edits = this.#below(4); edits > 0; edits -= 1) this.#edit();
      if (this.#below(5) === 0) this.#machine = 1 - this.#machine;
      await this.#backup();
      const event = this.#below(8);
      if (event === 0) await this.#harm();
      if (event < 1 || event > 3) continue;
      await this.#prune();
      await this.#expectNamed();
    }
    // After all that, a run heals what can be healed.
    await this.#backup();
    await this.#expectRestored();
  }

  get #one(): World {
    const machine = this.#machines[this.#machine];
    if (machine === undefined) throw new Error('no machine');
    return machine;
  }

  #below(most: number): number {
    return Math.floor(this.#next() * most);
  }

  #files(): readonly string[] {
    const names = readdirSync(this.#source, { recursive: true, encoding: 'utf8' }).sort();
    return names.filter((name) => statSync(join(this.#source, name)).isFile());
  }

  #add(): void {
    const name = `${this.#below(2) === 0 ? '' : 'below/'}f${this.#below(30)}`;
    writeFileSync(join(this.#source, name), this.#bytes(this.#below(3) === 0 ? 200_000 : 5000));
  }

  #bytes(most: number): Buffer {
    return Buffer.from(Uint8Array.from({ length: this.#below(most) }, () => this.#below(256)));
  }

  #edit(): void {
    const names = this.#files();
    const name = names[this.#below(names.length)];
    const edit = this.#below(8);
    if (name === undefined || edit === 0) return this.#add();
    const file = join(this.#source, name);
    if (edit === 1 && names.length > 1) rmSync(file);
    else if (edit === 7) copyFileSync(file, join(this.#source, `c${this.#below(20)}`));
    else if (edit === 2) appendFileSync(file, this.#bytes(3000));
    else if (edit === 3) renameSync(file, join(this.#source, `r${this.#below(20)}`));
    else if (edit === 4) utimesSync(file, 1_700_000_000 + this.#below(1000), 1_700_000_000 + this.#below(1000));
    else if (edit === 5) chmodSync(file, this.#below(2) === 0 ? 0o600 : 0o644);
    else if (statSync(file).size > 0) {
      const bytes = readFileSync(file);
      const { atimeMs, mtimeMs } = statSync(file);
      writeFileSync(file, flipped(bytes, this.#below(bytes.length)));
      utimesSync(file, atimeMs / 1000, mtimeMs / 1000);
    }
  }

  async #backup(): Promise<void> {
    const whole = this.#below(10) === 0;
    const expected = this.#stored(whole ? null : this.#last);
    const volumeSize = 64 * 1024;
    const report = await this.#one.backup(this.#source, { takeOver: true, volumeSize, ...(whole ? { whole: 'always' } : {}) });
    this.runs += 1;
    if (report.outcome === 'written') {
      expect([this.#seed, this.runs, report.kept.files]).toEqual([this.#seed, this.runs, expected]);
      this.#last = await manifestLines(this.#one, await readBytes(this.#backend, `survival/${report.id}.manifest`, { limit }));
    }
    this.#trees.set(report.id, seeTree(this.#source, { owners: false }));
  }

  /** How many files need not be sent: the last snapshot has them in archives that are whole, or one that goes before them is the same. */
  #stored(last: ManifestLines | null): number {
    const { header, entries } = last ?? { header: null, entries: [] };
    const usable = entries.filter(
      ({ type, extents }) => type === 'file' && !extents.some(([archive]) => this.#lost.has(header?.archives[archive]?.key ?? '')),
    );
    const paths = new Map(usable.map(({ path, sha256 }) => [path, sha256]));
    const contents = new Set(usable.map(({ sha256 }) => sha256));
    return this.#files().filter((name) => {
      const bytes = readFileSync(join(this.#source, name));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const stored = paths.get(name) === sha256 || (bytes.length >= 64 * 1024 && contents.has(sha256));
      contents.add(sha256);
      return stored;
    }).length;
  }

  /** One archive of those that are there goes, or is damaged and found to be. */
  async #harm(): Promise<void> {
    const archives = (await keysOf(this.#backend)).filter((key) => key.endsWith('.holdfast') && !this.#lost.has(key));
    const key = archives[this.#below(archives.length)];
    if (key === undefined) return;
    this.#lost.add(key);
    if (this.#below(2) === 0) return await this.#backend.remove(key);
    const bytes = Buffer.from(await readBytes(this.#backend, key, { limit }));
    await put(this.#backend, key, flipped(bytes, 150 + this.#below(bytes.length - 150)));
    // Each marks what its own snapshots use.
    for (const machine of this.#machines) await machine.verify();
  }

  async #prune(): Promise<void> {
    await this.#one.prune({ policy: { last: 1 + this.#below(3) }, takeOver: true });
  }

  async #expectNamed(): Promise<void> {
    const keys = new Set(await keysOf(this.#backend));
    for (const key of keys) {
      if (!key.endsWith('.manifest')) continue;
      const { header } = await manifestLines(this.#one, await readBytes(this.#backend, key, { limit }));
      const gone = header.archives.map((archive) => archive.key).filter((archive) => !keys.has(archive) && !this.#lost.has(archive));
      expect([this.#seed, this.runs, key, gone]).toEqual([this.#seed, this.runs, key, []]);
    }
  }

  async #expectRestored(): Promise<void> {
    const rows = await this.#one.engine.snapshots(this.#one.destination, {}, {});
    for (const { id, complete } of rows) {
      const target = join(tempFolder(), 'back');
      try {
        await this.#one.restore(target, { snapshot: id });
      } catch (error) {
        if (!complete && error instanceof Fault && (error.code === 'corrupt' || error.code === 'truncated')) continue;
        throw new Error(`seed ${this.#seed}: ${id} cannot be restored`, { cause: error });
      }
      expect([this.#seed, id, seeTree(target, { owners: false })]).toEqual([this.#seed, id, this.#trees.get(id)]);
    }
    expect([this.#seed, rows.at(-1)?.complete]).toEqual([this.#seed, true]);
  }
}

test(
  'whatever happens to a folder and its destination, kept snapshots restore and unchanged files are sent once',
  { timeout: slow ? 7_200_000 : 300_000 },
  async () => {
    const given = process.env['HOLDFAST_SEED'];
    const began = performance.now();
    let runs = 0;
    let seed = given === undefined ? Math.floor(Math.random() * 1e9) : Number(given);
    do {
      const history = new History(seed);
      await history.play(8);
      runs += history.runs;
      if (slow) console.log(`seed ${seed}: ${runs} runs`);
      seed += 1;
    } while (given === undefined && performance.now() - began < forMs && runs < wantedRuns);
    console.log(`${runs} runs of random histories`);
  },
);
