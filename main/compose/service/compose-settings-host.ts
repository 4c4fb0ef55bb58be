import { registering } from '../../adapters/keychain/registering.ts';
import { sealText, unsealText } from '../../adapters/keychain/sealed-file.ts';
import type { Redactor } from '../../adapters/logs/redactor.ts';
import { deliverNotice } from '../../adapters/notify/deliver.ts';
import type { Keychain } from '../../engine/service/keychain.ts';
import { keepRefreshToken } from '../../engine/service/kept-together.ts';
import { destinationCalled } from '../../engine/service/known-destination.ts';
import type { BegunSignIn, LiveSettings, SettingsHost } from '../../engine/service/settings-ports.ts';
import type { Bandwidth } from '../../engine/storage/layers/bandwidth.ts';
import type { Host } from '../host.ts';
import { realPlace } from '../real-place.ts';
import { accountOf, prepareSignIn } from '../sign-in.ts';
import type { DestinationOpener } from './destination-opener.ts';
import { folderProblem, makeFolder } from './folder-problem.ts';
import type { HostFeatures } from './host-features.ts';

export interface SettingsHostParts {
  readonly cli: Host;
  readonly settings: LiveSettings;
  readonly keychain: () => Promise<Keychain>;
  readonly destinations: DestinationOpener;
  readonly limiter: Bandwidth;
  readonly redactor: Redactor;
  readonly features: HostFeatures;
}

/** What the calls that change settings need of this computer. Every secret that passes is hidden from then on. */
export function composeSettingsHost(parts: SettingsHostParts): SettingsHost {
  const { cli, settings, keychain, destinations, limiter, redactor, features } = parts;
  const register = (secret: string): void => redactor.register(secret);
  return {
    settings,
    keychain,
    keychainOf: async (kind, passphrase) => {
      if (passphrase !== undefined) register(passphrase);
      return registering(await cli.openKeychain(kind, passphrase), register);
    },
    labelOf: destinations.labelOf,
    initializeProvider: (at, secrets, signal, onBegin) => {
      for (const secret of Object.values(secrets)) register(secret);
      return cli.initializeProvider(
        () => cli.openBackend({ settings: at, name: null, isNew: true }, secrets, { shared: limiter, attempts: 3 }),
        signal,
        onBegin,
      );
    },
    openWith: (name, at, secrets, password) => {
      for (const secret of [...Object.values(secrets), password]) register(secret);
      return destinations.openWith(name, at, secrets, password);
    },
    beginSignIn: async (request): Promise<BegunSignIn> => {
      if (request.clientSecret !== undefined) register(request.clientSecret);
      const { begun, settings: at, clientSecrets } = await prepareSignIn(cli.env, request);
      const { link, expiresAt, answer, close } = begun;
      return {
        ...{ link, expiresAt, answer, close, clientSecrets, settings: at },
        finished: async () => ({ ...(await begun.finished()) }),
      };
    },
    accountOf: async (at, secrets, { name, signal, onRefreshToken }) => {
      const signedInAt = name === null ? undefined : destinationCalled(settings.current(), name)?.signedInAt;
      const keep = async (refreshToken: string): Promise<void> => {
        register(refreshToken);
        onRefreshToken?.(refreshToken);
        if (name !== null) await keepRefreshToken({ settings, keychain }, name, signedInAt, refreshToken);
      };
      return await accountOf(cli.env, at, secrets, { name, signedInAt, keep }, signal);
    },
    ...{ folderProblem, realPlace },
    makeFolder,
    deliver: (target, secrets, notice, signal) => deliverNotice(target, secrets, notice, signal, features.showNotice ?? null),
    seal: sealText,
    unseal: (sealed, passphrase) =>
      unsealText(Buffer.from(sealed), passphrase, {
        says: 'the settings file that was given',
        next: 'Try the passphrase again: it is the one that “holdfast config export” was given for this file.',
      }),
  };
}
