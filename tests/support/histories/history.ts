import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Fault } from '../../../main/contract/faults.ts';
import type { WholeRule } from '../../../main/contract/reports.ts';
import type { Backend } from '../../../main/engine/storage/backend.ts';
import { addLarge, edit } from './edits.ts';
import { harm } from './harm.ts';
import { refused, runCutOff, takenOverMeanwhile } from './hindrances.ts';
import { day } from './machine.ts';
import { Scene, volumeSizes } from './scene.ts';
import { diceOf, type Dice, type Step } from './steps.ts';

export type Played = Readonly<Scene['played']>;

/**
 * Plays a history with the real engine on real files, in destinations that are empty: throws at the first thing that is not as it must be. Without `newDestination` in
 * memory, where days pass.
 */
export async function playHistory(steps: readonly Step[], newDestination?: () => Backend): Promise<Played> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-history-'));
  try {
    const scene = new Scene(folder, newDestination);
    await scene.backup([await scene.place(0)]);
    for (const { kind, seed } of steps) await happenings[kind](scene, diceOf(seed));
    await atLast(scene, diceOf(steps.length));
    return scene.played;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of what is a multiple of ten days old, none is that many days old. */
const wholeRules: readonly WholeRule[] = ['never', 'never', 15, 25];
const ruleOf = (dice: Dice): WholeRule | undefined => wholeRules[dice(wholeRules.length)];

const happenings: Readonly<Record<Step['kind'], (scene: Scene, dice: Dice) => unknown>> = {
  large(scene, dice) {
    scene.volumeSize = volumeSizes.large;
    addLarge(scene.source, dice);
  },
  edit: (scene, dice) => edit(scene.source, dice),
  'other-machine': (scene) => (scene.machine = scene.other),
  clock: (scene, dice) => scene.machine.setClock(dice),
  days: (scene, dice) => scene.letDaysPass(10 * (1 + dice(3))),
  backup: async (scene, dice) => await scene.backup([await scene.place(0)], ruleOf(dice)),
  'whole-backup': async (scene, dice) => await scene.backup([await scene.somePlace(dice)], 'always'),
  'backup-elsewhere': async (scene, dice) => await scene.backup([await scene.place(1)], ruleOf(dice)),
  'backup-to-both': async (scene, dice) => await scene.backup(await scene.both(), ruleOf(dice)),
  'dated-ahead': datedAhead,
  'cut-off': runCutOff,
  refused: async (scene, dice) => await refused(scene, await scene.somePlace(dice)),
  'taken-over-meanwhile': async (scene, dice) => await takenOverMeanwhile(scene, await scene.somePlace(dice), dice),
  harm: async (scene, dice) => await harm(scene, await scene.somePlace(dice), dice),
  prune: async (scene, dice) => await scene.prune(await scene.somePlace(dice), 1 + dice(3)),
};

/** By a day that comes while the history lasts, or by one that does not. */
async function datedAhead(scene: Scene, dice: Dice): Promise<void> {
  const [outcome] = await scene.run([await scene.somePlace(dice)], { time: scene.clock.now() + (dice(2) === 0 ? 20 : 1000) * day });
  if (outcome instanceof Fault) throw outcome;
}

/** A last run heals what can be healed; then one of all that is kept is restored for real. */
async function atLast(scene: Scene, dice: Dice): Promise<void> {
  const reports = await scene.backup(scene.places);
  for (const [index, place] of scene.places.entries()) {
    const kept = await scene.checkKept(place);
    const last = kept.find(({ header }) => header.id === reports[index]?.id);
    assert.equal(last?.whole, true, 'the last snapshot is not whole');
    const latest = place.latest(kept);
    const one = dice(2) === 0 ? latest : kept[dice(kept.length)];
    // For some minutes after a clock was set back the last one by the ids may be an older one, and damaged; `latest` is that one.
    const isLast = one === latest && one?.header.id === place.base?.header.id;
    if (one !== undefined) await scene.restore(place, one, isLast);
  }
}
