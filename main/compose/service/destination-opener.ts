import type { DestinationSettings } from '../../contract/destination-settings.ts';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { destinationPassword } from '../../contract/secret-names.ts';
import type { OpenDestination } from '../../engine/engine.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { destinationSecrets } from '../../engine/service/kept-secrets.ts';
import { destinationCalled } from '../../engine/service/known-destination.ts';
import type { LiveSettings, Secrets } from '../../engine/service/settings-ports.ts';
import type { Backend } from '../../engine/storage/backend.ts';
import type { Bandwidth } from '../../engine/storage/layers/bandwidth.ts';
import { realPlace } from '../real-place.ts';
import { settingsAsText, whereOf } from '../destination-url.ts';
import type { Host } from '../host.ts';

export interface DestinationOpener {
  /** By name, with what the keychain keeps. Faults: config-invalid (no such name), unauthenticated (no password is kept), locked. */
  readonly open: (name: string) => Promise<OpenDestination>;
  readonly openWith: (name: string, settings: DestinationSettings, secrets: Secrets, password: string) => Promise<OpenDestination>;
  readonly labelOf: (settings: DestinationSettings) => string;
  /** Settings or secrets have changed: backends are made anew. */
  forget(): void;
}

export interface OpenerOptions {
  readonly cli: Host;
  readonly settings: LiveSettings;
  readonly keychain: () => Promise<Keychain>;
  readonly limiter: Bandwidth;
}

/** One backend for each destination, shared by all jobs: one sign-in, one set of permits. */
export function destinationOpener({ cli, settings, keychain, limiter }: OpenerOptions): DestinationOpener {
  const backends = new Map<string, { readonly secrets: string; readonly backend: Backend }>();

  async function backendOf(name: string, at: DestinationSettings, secrets: Secrets): Promise<Backend> {
    const key = JSON.stringify([at, secrets]);
    const known = backends.get(name);
    if (known?.secrets === key) return known.backend;
    const backend = await cli.openBackend({ settings: at, name }, secrets, { shared: limiter });
    backends.set(name, { secrets: key, backend });
    return backend;
  }

  async function opened(backend: Backend, at: DestinationSettings, password: string): Promise<OpenDestination> {
    const local = at.provider === 'folder' ? { localPath: await realPlace(at.path) } : {};
    return { backend, credentials: { kind: 'password', password }, ...local, settings: settingsAsText(at) };
  }

  return {
    async open(name) {
      const found = destinationCalled(settings.current(), name);
      if (found === undefined) {
        throw new Fault('config-invalid', `there is no backup place called ${name}`, {
          operation: 'open destination',
          context: { ...saying('place-unknown', { name }), destination: name },
        });
      }
      const keys = await keychain();
      const password = await keys.get(destinationPassword(name));
      if (password === null) {
        throw new Fault('unauthenticated', `no password is kept for ${name}`, {
          operation: 'open destination',
          context: { ...saying('password-missing', { name }), destination: name, next: `Give it: holdfast destination password ${name}` },
        });
      }
      return await opened(
        await backendOf(name, found.settings, await destinationSecrets(() => Promise.resolve(keys), name, found.settings)),
        found.settings,
        password,
      );
    },
    openWith: async (name, at, secrets, password) =>
      await opened(await cli.openBackend({ settings: at, name, isNew: true }, secrets, { shared: limiter, attempts: 3 }), at, password),
    labelOf: (at) => whereOf(settingsAsText(at)),
    forget: () => backends.clear(),
  };
}
