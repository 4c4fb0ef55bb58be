import type { Command } from 'commander';
import { openBrowser } from '../../adapters/oauth/open-browser.ts';
import { isSignInProvider, missingClient, oauthProvider, type SignInProvider } from '../../adapters/oauth/providers.ts';
import type { SignedIn } from '../../adapters/oauth/sign-in.ts';
import { systemClock } from '../../adapters/system/clock.ts';
import type { AccountInfo } from '../../contract/account-info.ts';
import type { DestinationSettings } from '../../contract/destination-settings.ts';
import { Fault } from '../../contract/faults.ts';
import { clientIdOf, composeTokens, signInVariables } from '../compose-tokens.ts';
import { destinationSecret } from '../../contract/secret-names.ts';
import { type Secrets } from '../destination-secrets.ts';
import { exitCodes } from '../exit-codes.ts';
import { readSecrets } from '../find-destination.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { loopbackEndpoint } from '../loopback-endpoint.ts';
import { note, printJson, printLine } from '../output.ts';
import { readSecretText } from '../passwords.ts';
import { printable } from '../printable.ts';
import { formatSize } from '../units.ts';
import { known } from './destination.ts';
import type { JsonOption } from './options.ts';

interface SignInCommandOptions extends JsonOption {
  /** False for `--no-browser`. */
  readonly browser: boolean;
  readonly clientId?: string;
  readonly clientSecretFile?: string;
}

export function addSignIn(group: Command, { host, end }: CommandContext): void {
  group
    .command('sign-in')
    .description(
      'Signs in with Google or Dropbox for a named backup place, in your browser. Signing in again keeps all that is stored. ' +
        'On a machine without a browser, open the link elsewhere and paste the address that the browser ends on.',
    )
    .argument('<name>', 'the name that “holdfast destination add” gave')
    .option('--no-browser', 'only print the link, and take the pasted address')
    .option('--client-id <id>', 'client id (Google) or app key (Dropbox) of your own')
    .option('--client-secret-file <file>', 'its secret, where there is one')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  holdfast destination sign-in home-drive')
    .action(async (name: string, options: SignInCommandOptions) => {
      const file = await host.openSettings();
      const destination = known((await file.read()).destinations, name);
      const { provider } = destination.settings;
      if (!isSignInProvider(provider)) {
        throw new Fault('config-invalid', `${name} is a ${provider} destination, which needs keys and no sign-in`, {
          operation: 'sign in',
        });
      }
      const settings = withClient(destination.settings, options.clientId ?? clientIdOf(destination.settings, host.env));
      const secretName = provider === 'google-drive' ? 'clientSecret' : 'appSecret';
      const before = await readSecrets(host, { settings, name });
      const secret =
        options.clientSecretFile === undefined
          ? (given(host.env[signInVariables[provider].clientSecret]) ?? before[secretName])
          : await readSecretText(options.clientSecretFile, 'client secret file', host);
      const { refreshToken } = await signIn(host, provider, settings, secret, options);
      await (
        await host.openKeychain()
      ).set({
        [destinationSecret(name, 'refreshToken')]: refreshToken,
        ...(secret === undefined ? {} : { [destinationSecret(name, secretName)]: secret }),
      });
      const signedInAt = host.now();
      await file.update((all) => ({
        ...all,
        destinations: { ...all.destinations, [name]: { ...known(all.destinations, name), settings, signedInAt } },
      }));
      const secrets: Secrets = { refreshToken, ...(secret === undefined ? {} : { [secretName]: secret }) };
      const account = await accountOf(host, provider, settings, secrets, name);
      if (options.json === true) await printJson(host, { name, account });
      else await printLine(host, `Signed in for ${name}: ${printable(described(account))}.`);
      end(exitCodes.done);
    });
}

function withClient(settings: DestinationSettings, clientId: string | undefined): DestinationSettings {
  if (clientId === undefined) return settings;
  if (settings.provider === 'google-drive') return { ...settings, clientId };
  return settings.provider === 'dropbox' ? { ...settings, appKey: clientId } : settings;
}

async function signIn(
  host: CliHost,
  name: SignInProvider,
  settings: DestinationSettings,
  clientSecret: string | undefined,
  options: SignInCommandOptions,
): Promise<SignedIn> {
  const variables = signInVariables[name];
  const provider = oauthProvider(name, loopbackEndpoint(host.env, variables.endpoint).endpoint);
  const clientId = clientIdOf(settings, host.env);
  if (clientId === undefined) throw missingClient(provider, variables.clientId);
  const { beginSignIn } = await import('../../adapters/oauth/sign-in.ts');
  const begun = await beginSignIn({ provider, clientId, clientSecret, clock: systemClock, signal: host.signal });
  try {
    const opened = options.browser && (await openBrowser(begun.link));
    await note(host, opened ? `Your browser opens. If it does not, open this yourself:` : 'Open this in a browser:');
    await note(host, `\n  ${begun.link}\n`);
    if (options.browser || host.askSecret === null) return await begun.finished();
    await note(host, 'The browser ends on a page that does not open, unless it runs on this computer. Copy its address.');
    return await Promise.any([begun.finished(), host.askSecret('Paste the address here: ').then((address) => begun.paste(address))]).catch(
      (error: unknown) => {
        throw error instanceof AggregateError ? error.errors.at(-1) : error;
      },
    );
  } finally {
    await begun.close();
  }
}

async function accountOf(
  host: CliHost,
  provider: SignInProvider,
  settings: DestinationSettings,
  secrets: Secrets,
  name: string,
): Promise<AccountInfo> {
  const tokens = composeTokens(settings, secrets, host.env, { name });
  const options = { ...loopbackEndpoint(host.env, signInVariables[provider].endpoint), signal: host.signal };
  if (provider === 'google-drive') {
    return await (await import('../../adapters/storage/google-drive/account.ts')).googleDriveAccount(tokens, options);
  }
  return await (await import('../../adapters/storage/dropbox/account.ts')).dropboxAccount(tokens, options);
}

function described({ name, usedBytes, quotaBytes }: AccountInfo): string {
  if (usedBytes === undefined) return name;
  const of = quotaBytes === undefined ? '' : ` of ${formatSize(quotaBytes)}`;
  return `${name}, ${formatSize(usedBytes)}${of} used`;
}

function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
