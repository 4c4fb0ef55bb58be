import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { memoryBackend } from '../../../main/adapters/storage/memory/memory-backend.ts';
import { Fault } from '../../../main/contract/faults.ts';
import type { BackupReport, BackupRequest, WholeRule } from '../../../main/contract/reports.ts';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { backupRequest, movableClock, pruneRequest, restoreRequest, type World } from '../engine-on-memory.ts';
import { addFile } from './edits.ts';
import { day, hour, Machine } from './machine.ts';
import { Place, type KeptSnapshot } from './place.ts';
import { checkPruned } from './pruned.ts';
import { diceOf, type Dice } from './steps.ts';

/** Several a run; of a large file, not a hundred. */
export const volumeSizes = { small: 2 ** 16, large: 2 ** 22 };

export interface HowToRun {
  readonly whole?: WholeRule;
  /** Also of a folder that nobody has touched. */
  readonly force?: boolean;
  readonly time?: number;
  readonly cut?: { readonly place: Place; readonly backend: Backend; readonly signal: AbortSignal };
}

/** What a history is played on: a folder, two machines that back it up, and one or two destinations. */
export class Scene {
  readonly folder: string;
  readonly source: string;
  /** The providers'. */
  readonly clock = movableClock();
  readonly #daysPass: boolean;
  readonly #newDestination: () => Backend;
  /** To the first one all files are an hour old. To the second they are young: it reads them all. */
  readonly machines = [new Machine('machine-0', this.clock, hour), new Machine('machine-1', this.clock, 0)] as const;
  /** Whose turn it is. */
  machine: Machine = this.machines[0];
  readonly places: Place[] = [];
  volumeSize = volumeSizes.small;
  readonly played = { runs: 0, cutOff: 0, goneOn: 0, unchanged: 0, restores: 0 };

  /** Without `newDestination` in memory, where days pass. */
  constructor(folder: string, newDestination?: () => Backend) {
    this.folder = folder;
    this.source = join(folder, 'source');
    this.#daysPass = newDestination === undefined;
    this.#newDestination = newDestination ?? ((): Backend => memoryBackend({ clock: this.clock }));
    mkdirSync(join(this.source, 'below'), { recursive: true });
    const dice = diceOf(1);
    for (let file = 0; file < 6; file += 1) addFile(this.source, dice);
  }

  letDaysPass(days: number): void {
    if (this.#daysPass) this.clock.offset += days * day;
  }

  /** The second one is made when it is first used. */
  async place(index: number): Promise<Place> {
    while (this.places.length <= index) this.places.push(await Place.made(this.#newDestination(), this.machine));
    return this.places[index] ?? assert.fail('no place');
  }

  /** One that there is. */
  async somePlace(dice: Dice): Promise<Place> {
    return await this.place(dice(this.places.length));
  }

  get other(): Machine {
    return this.machine === this.machines[0] ? this.machines[1] : this.machines[0];
  }

  async both(): Promise<readonly Place[]> {
    return [await this.place(0), await this.place(1)];
  }

  at(place: Place, machine = this.machine): World {
    return machine.at(place.backend, place.credentials);
  }

  async checkKept(place: Place): Promise<readonly KeptSnapshot[]> {
    return await place.checkKept(this.machine, this.clock.now());
  }

  async backup(places: readonly Place[], whole: WholeRule = 'never', force = false): Promise<readonly BackupReport[]> {
    return (await this.run(places, { whole, force })).map((outcome) => {
      if (outcome instanceof Fault) throw outcome;
      return outcome;
    });
  }

  request(places: readonly Place[], more: Partial<BackupRequest> = {}): BackupRequest {
    const owners = places.map((place) => place.owner(this.clock.now()));
    // Where it owns the server everywhere it need not say so.
    const takeOver = owners.some((owner) => owner !== null && owner !== this.machine.id);
    return backupRequest(this.source, { takeOver, volumeSize: this.volumeSize, whole: 'never', ...more });
  }

  async run(places: readonly Place[], { whole = 'never', force = false, time, cut }: HowToRun): Promise<readonly (BackupReport | Fault)[]> {
    const request = this.request(places, { whole, force, ...(time === undefined ? {} : { time }) });
    const expected = places.map((place) => place.expect(this.machine, this.source, whole, this.clock.now()));
    const destinations = places.map((place) => place.opened(place === cut?.place ? cut.backend : place.backend));
    const { engine } = this.at(places[0] ?? assert.fail('no place'));
    const outcomes = await engine.backupToAll(destinations, request, cut === undefined ? {} : { signal: cut.signal });
    for (const [index, place] of places.entries()) {
      const [outcome, one] = [outcomes[index], expected[index]];
      if (outcome === undefined || one === undefined) throw new Error('a destination was left out');
      if (await place.ended(outcome, { ...one, unchanged: one.unchanged && !force })) this.played.goneOn += 1;
      if (!(outcome instanceof Fault)) this.played[outcome.outcome === 'written' ? 'runs' : 'unchanged'] += 1;
    }
    return outcomes;
  }

  async prune(place: Place, last: number): Promise<void> {
    const { machine } = this;
    const kept = await this.checkKept(place);
    const { engine } = this.at(place);
    const before = await place.everything();
    const isOwn = [machine.id, null].includes(place.owner(this.clock.now()));
    const pruning = engine.prune(place.opened(), pruneRequest({ policy: { last }, takeOver: !isOwn }), {});
    const isThere = place.keys('').some((key) => key.startsWith('survival/'));
    if (!isThere || !machine.mayPrune) {
      await assert.rejects(pruning, { code: isThere ? 'config-invalid' : 'not-found' });
      return await place.assertUntouched(before);
    }
    await pruning;
    checkPruned(kept, await this.checkKept(place), last, this.#daysPass ? this.clock.now() : null);
  }

  async restore(place: Place, { header: { id }, whole }: KeptSnapshot, isLatest: boolean): Promise<void> {
    const target = join(this.folder, `back-${id}`);
    this.played.restores += 1;
    try {
      const request = restoreRequest(target, { snapshot: isLatest ? 'latest' : id });
      const report = await this.at(place).engine.restore(place.opened(), request, {});
      assert.equal(report.id, id, 'another snapshot was restored');
    } catch (error) {
      if (!whole && error instanceof Fault && ['corrupt', 'truncated', 'not-found'].includes(error.code)) return;
      throw error;
    }
    place.assertRestored(id, target);
  }
}
