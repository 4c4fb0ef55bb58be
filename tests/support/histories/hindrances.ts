import assert from 'node:assert/strict';
import { Fault } from '../../../main/contract/faults.ts';
import { backupRequest, pruneRequest } from '../engine-on-memory.ts';
import { cutOff } from './cut-off.ts';
import { addLarge, addSeveral } from './edits.ts';
import { meanwhile } from './meanwhile.ts';
import type { Place } from './place.ts';
import { volumeSizes, type Scene } from './scene.ts';
import type { Dice } from './steps.ts';

/* Steps in which something ends a run, or another machine comes in between. */

/** A run that has enough to do for several volumes, and ends at any call of one destination, if it makes so many. The other one it does not concern. */
export async function runCutOff(scene: Scene, dice: Dice): Promise<void> {
  addSeveral(scene.source, dice);
  if (scene.volumeSize === volumeSizes.large && dice(2) === 0) addLarge(scene.source, dice);
  const place = await scene.somePlace(dice);
  const places = dice(3) === 0 ? await scene.both() : [place];
  const { backend, signal } = cutOff(place.backend, dice);
  const outcomes = await scene.run(places, { whole: dice(4) === 0 ? 'always' : 'never', cut: { place, backend, signal } });
  for (const [index, outcome] of outcomes.entries()) {
    if (!(outcome instanceof Fault)) continue;
    const codes = places[index] === place ? ['unavailable', 'quota-exceeded', 'cancelled'] : ['cancelled'];
    if (!codes.includes(outcome.code)) throw outcome;
    scene.played.cutOff += 1;
  }
  for (const one of places) await scene.checkKept(one);
}

/** A machine whose server it is not is in nobody's way, and says so. */
export async function refused(scene: Scene, place: Place): Promise<void> {
  const machine = scene.other;
  const { engine } = scene.at(place, machine);
  const before = await place.everything();
  if (![machine.id, null].includes(place.owner(scene.clock.now()))) {
    const request = backupRequest(scene.source, { volumeSize: scene.volumeSize });
    await assert.rejects(engine.backup(place.opened(), request, {}), { code: 'locked' });
    await place.assertUntouched(before);
  }
  if ([machine.id, null].includes(place.owner(scene.clock.now()))) return;
  const code = machine.mayPrune ? 'locked' : 'config-invalid';
  await assert.rejects(engine.prune(place.opened(), pruneRequest({ policy: { last: 1 } }), {}), { code });
  await place.assertUntouched(before);
}

/**
 * While a run is under way the other machine takes the server over, and may prune it: also after one more snapshot, so that what it has taken of that run goes as well.
 * What becomes of the run is its own concern.
 */
export async function takenOverMeanwhile(scene: Scene, place: Place, dice: Dice): Promise<void> {
  // Several volumes, so that some are written down while the run goes on.
  for (let times = 0; times < 3; times += 1) addSeveral(scene.source, dice);
  const { tree } = place.expect(scene.machine, scene.source, 'never', scene.clock.now());
  const { machine } = scene;
  const [whole, isPruned, isTwice] = [dice(2) === 0 ? 'always' : 'never', dice(2) === 0, dice(2) === 0] as const;
  const gone = new Set<string>();
  const failed: unknown[] = [];
  const { backend, isTooLate } = meanwhile(place.backend, dice, async () => {
    try {
      scene.machine = scene.other;
      await place.look(tree);
      const before = place.keys('.holdfast');
      await scene.backup([place], whole);
      if (isTwice) await scene.backup([place], 'always', true);
      if (isPruned) await scene.prune(place, 1);
      for (const key of before) if (!place.keys('.holdfast').includes(key)) gone.add(key);
    } catch (error) {
      failed.push(error);
    }
  });
  // A whole one rests on nothing earlier that could be lost, and show it that something is.
  const request = scene.request([place], { whole: dice(2) === 0 ? 'always' : 'never' });
  const [outcome] = await scene.at(place, machine).engine.backupToAll([place.opened(backend)], request, {});
  if (failed.length > 0) throw failed[0];
  if (outcome instanceof Fault && outcome.code === 'unexpected') throw outcome;
  // What a snapshot is to name is looked for in the end of its run. Behind that look nobody can help it.
  if (isTooLate()) for (const key of gone) place.stored.harm(key, null);
  await place.look(tree);
  await scene.checkKept(place);
}
