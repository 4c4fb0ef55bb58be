import { systemClock } from '../adapters/system/clock.ts';
import { fileMemory } from '../adapters/system/memory.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { openStateDir } from '../adapters/system/state-dir.ts';
import type { DestinationCheck } from '../contract/reports.ts';
import type { Backend } from '../engine/storage/backend.ts';
import { initializeProvider } from '../engine/storage/initialize-provider.ts';
import { stack, standardStack } from '../engine/storage/stack.ts';
import type { TokenKeeping } from './compose-tokens.ts';
import { needed, type Secrets } from './destination-secrets.ts';
import { loopbackEndpoint } from './loopback-endpoint.ts';
import { s3CredentialsIn } from './s3-credentials.ts';
import type { Bandwidth, FoundDestination, Observer } from './host.ts';

/** The backend that the settings name, behind the standard layers. Only the chosen one is loaded. */
export async function composeBackend(
  destination: FoundDestination,
  secrets: Secrets,
  limits: Bandwidth,
  observer: Observer,
  keeping: (name: string | null) => Promise<TokenKeeping>,
): Promise<Backend> {
  const { backend, bandwidth } = standardStack(await baseOf(destination, secrets, keeping), {
    clock: systemClock,
    random: systemRandom,
    ...observer,
    ...(limits.shared === undefined ? {} : { bandwidth: limits.shared }),
    ...(limits.attempts === undefined ? {} : { retry: { attempts: limits.attempts } }),
  });
  if (limits.shared === undefined) bandwidth.setLimits({ up: limits.upload, down: limits.download });
  return backend;
}

async function baseOf(
  { settings, name, isNew = false }: FoundDestination,
  secrets: Secrets,
  keepingOf: (name: string | null) => Promise<TokenKeeping>,
): Promise<Backend> {
  const where = isNew ? 'what was given' : name === null ? 'the environment' : `the keys kept for ${name}`;
  switch (settings.provider) {
    case 'folder': {
      const { folderBackend } = await import('../adapters/storage/folder/folder-backend.ts');
      const { markedFolder } = await import('../adapters/storage/folder/marker.ts');
      return stack(
        folderBackend(settings.path),
        markedFolder(
          settings.path,
          fileMemory(() => openStateDir()),
        ),
      );
    }
    case 's3': {
      const { s3Backend } = await import('../adapters/storage/s3/s3-backend.ts');
      return s3Backend(settings, s3CredentialsIn(name === null && !isNew ? process.env : keptKeys(secrets)));
    }
    case 'backblaze-b2': {
      const { b2Backend } = await import('../adapters/storage/backblaze-b2/b2-backend.ts');
      const keys = {
        keyId: needed(secrets, 'backblaze-b2', 'keyId', where),
        applicationKey: needed(secrets, 'backblaze-b2', 'applicationKey', where),
      };
      return b2Backend(settings, keys, loopbackEndpoint(process.env, 'HOLDFAST_B2_ENDPOINT'));
    }
    case 'google-drive': {
      const { composeTokens, signInVariables } = await import('./compose-tokens.ts');
      const { googleDriveBackend } = await import('../adapters/storage/google-drive/google-drive-backend.ts');
      const tokens = composeTokens(settings, secrets, process.env, await keepingOf(name));
      return googleDriveBackend(settings, tokens, loopbackEndpoint(process.env, signInVariables['google-drive'].endpoint));
    }
    case 'dropbox': {
      const { composeTokens, signInVariables } = await import('./compose-tokens.ts');
      const { dropboxBackend } = await import('../adapters/storage/dropbox/dropbox-backend.ts');
      const tokens = composeTokens(settings, secrets, process.env, await keepingOf(name));
      return dropboxBackend(settings, tokens, loopbackEndpoint(process.env, signInVariables.dropbox.endpoint));
    }
  }
}

/** Kept keys under the names that the AWS tools give them; without any, the standard chain is asked. */
function keptKeys({ accessKeyId, secretAccessKey, sessionToken }: Secrets): Readonly<Record<string, string | undefined>> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken };
}

export function composeChecks(
  open: () => Promise<Backend>,
  signal: AbortSignal,
  onBegin: ((name: string) => void) | undefined,
): AsyncIterable<DestinationCheck> {
  return initializeProvider(open, { clock: systemClock, random: systemRandom, signal, onBegin });
}
