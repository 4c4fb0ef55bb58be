import { readBytes } from '../../../main/engine/storage/read-object.ts';
import { flipped, headSize } from '../damage.ts';
import { put } from '../engine-on-memory.ts';
import type { KeptSnapshot, Place } from './place.ts';
import type { Scene } from './scene.ts';
import type { Dice } from './steps.ts';

const limit = 2 ** 30;

/** One archive of those that are there goes, or is damaged, which a verification finds. */
export async function harm(scene: Scene, place: Place, dice: Dice): Promise<void> {
  const isToFind = await harmed(place, await scene.checkKept(place), dice);
  // Each marks what its own snapshots use.
  if (isToFind) for (const machine of scene.machines) await scene.at(place, machine).verify();
  await place.look();
}

/** Returns whether there is something that a verification has to find. */
async function harmed(place: Place, kept: readonly KeptSnapshot[], dice: Dice): Promise<boolean> {
  const { backend, stored } = place;
  const archives = place.keys('.holdfast').filter((key) => !stored.isHarmed(key));
  const key = archives[dice(archives.length)];
  if (key === undefined) return false;
  // What no snapshot uses nobody looks at: damage there would not be found.
  const isUsed = kept.some(({ header }) => header.archives.some((archive) => archive.key === key));
  if (dice(2) === 0 || !isUsed) {
    stored.harm(key, null);
    await backend.remove(key);
    return false;
  }
  const bytes = Buffer.from(await readBytes(backend, key, { limit }));
  const byte = headSize + dice(bytes.length - headSize);
  stored.harm(key, byte);
  await put(backend, key, flipped(bytes, byte));
  return true;
}
