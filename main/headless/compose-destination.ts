import { systemClock } from '../adapters/system/clock.ts';
import { systemRandom } from '../adapters/system/random.ts';
import type { DestinationCheck } from '../contract/reports.ts';
import type { Backend } from '../engine/storage/backend.ts';
import { checkDestination } from '../engine/storage/check-destination.ts';
import { standardStack } from '../engine/storage/stack.ts';
import type { Observer } from './host.ts';
import type { DestinationSettings } from './destination-url.ts';
import { s3CredentialsIn } from './s3-credentials.ts';
import type { Bandwidth } from './host.ts';

/** The backend that the settings name, behind the standard layers. Only the chosen one is loaded. */
export async function composeBackend(settings: DestinationSettings, limits: Bandwidth, observer: Observer): Promise<Backend> {
  const { backend, bandwidth } = standardStack(await baseOf(settings), { clock: systemClock, random: systemRandom, ...observer });
  bandwidth.setLimits({ up: limits.upload, down: limits.download });
  return backend;
}

async function baseOf(settings: DestinationSettings): Promise<Backend> {
  if (settings.provider === 'folder') return (await import('../adapters/storage/folder/folder-backend.ts')).folderBackend(settings.path);
  const { s3Backend } = await import('../adapters/storage/s3/s3-backend.ts');
  return s3Backend(settings, s3CredentialsIn(process.env));
}

export function composeChecks(backend: Backend, signal: AbortSignal): AsyncIterable<DestinationCheck> {
  return checkDestination(backend, { clock: systemClock, random: systemRandom, signal });
}
