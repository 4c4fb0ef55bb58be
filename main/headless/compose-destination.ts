import { folderBackend } from '../adapters/storage/folder/folder-backend.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { systemRandom } from '../adapters/system/random.ts';
import type { DestinationCheck } from '../contract/reports.ts';
import type { Backend } from '../engine/storage/backend.ts';
import { checkDestination } from '../engine/storage/check-destination.ts';
import { standardStack } from '../engine/storage/stack.ts';
import type { Observer } from './host.ts';
import type { DestinationSettings } from './destination-url.ts';
import type { Bandwidth } from './host.ts';

/** The backend that the settings name, behind the standard layers. */
export function composeBackend(settings: DestinationSettings, limits: Bandwidth, observer: Observer): Backend {
  const { backend, bandwidth } = standardStack(folderBackend(settings.path), { clock: systemClock, random: systemRandom, ...observer });
  bandwidth.setLimits({ up: limits.upload, down: limits.download });
  return backend;
}

export function composeChecks(backend: Backend, signal: AbortSignal): AsyncIterable<DestinationCheck> {
  return checkDestination(backend, { clock: systemClock, random: systemRandom, signal });
}
