import type { Command } from 'commander';
import { knownDestination } from '../../engine/service/known-destination.ts';
import { removeLinkPage } from '../../adapters/oauth/link-page.ts';
import { openBrowser, openedNote } from '../../adapters/oauth/open-browser.ts';
import type { SignIn } from '../../adapters/oauth/sign-in.ts';
import type { AccountInfo } from '../../contract/account-info.ts';
import { asFault } from '../../contract/faults.ts';
import { clientOf } from '../../contract/same-place.ts';
import { keepRefreshToken, keepSignIn } from '../../engine/service/kept-together.ts';
import { withClient } from '../../engine/service/with-client.ts';
import { type Secrets } from '../../compose/destination-secrets.ts';
import { exitCodes } from '../exit-codes.ts';
import { readSecrets } from '../find-destination.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, printJson, printLine } from '../output.ts';
import { readSecretText } from '../passwords.ts';
import { printable } from '../printable.ts';
import { servicePlaces } from '../../compose/service/places.ts';
import { accountOf, prepareSignIn } from '../../compose/sign-in.ts';
import { takePaste } from '../take-paste.ts';
import { formatSize } from '../units.ts';
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
      const destination = knownDestination(await file.read(), name);
      const { clientSecretFile } = options;
      const clientSecret = clientSecretFile === undefined ? undefined : await readSecretText(clientSecretFile, 'client secret file', host);
      const prepared = await prepareSignIn(host.env, {
        settings: options.clientId === undefined ? destination.settings : withClient(destination.settings, options.clientId),
        clientSecret,
        kept: {
          secrets: await readSecrets(host, { settings: destination.settings, name }),
          clientId: clientOf(destination.settings),
        },
        signal: host.signal,
      });
      const { settings } = prepared;
      const secrets: Secrets = { ...prepared.clientSecrets, ...(await signIn(host, prepared.begun, options)) };
      const keychain = await host.openKeychain();
      const signedInAt = host.now();
      await keepSignIn({ settings: file, keychain }, name, { settings, secrets, at: signedInAt });
      const keep = (refreshToken: string): Promise<void> =>
        keepRefreshToken({ settings: file, keychain: host.openKeychain }, name, signedInAt, refreshToken);
      const keeping = { name, signedInAt, keep };
      // Signed in is signed in: what the account does not tell now, the test of the place will.
      const account = await accountOf(host.env, settings, secrets, keeping, host.signal).catch(async (error: unknown) => {
        if (host.signal.aborted) throw error;
        const { message } = asFault(error, 'sign in');
        await note(host, `The account did not tell whose it is (${printable(message)}). “holdfast destination test ${name}” asks again.`);
        return null;
      });
      if (options.json === true) await printJson(host, { name, account });
      else await printLine(host, `Signed in for ${name}${account === null ? '' : `: ${printable(described(account))}`}.`);
      end(exitCodes.done);
    });
}

async function signIn(host: CliHost, begun: SignIn, options: SignInCommandOptions): Promise<Secrets> {
  // Whoever knew its state and challenge while this waits could answer first, with an account of their own.
  const { folder } = await servicePlaces();
  try {
    const opened = options.browser && (await openBrowser(begun.link, folder));
    await note(host, opened ? openedNote : 'Open this in a browser:');
    await note(host, `\n  ${begun.link}\n`);
    if (options.browser) return { ...(await begun.finished()) };
    await note(host, 'The browser ends on a page that does not open, unless it runs on this computer. Copy its address.');
    const over = new AbortController();
    try {
      return { ...(await Promise.race([begun.finished(), takePaste(host, begun, over.signal)])) };
    } finally {
      over.abort();
    }
  } finally {
    await begun.close();
    await removeLinkPage(folder, begun.link);
  }
}

function described({ name, usedBytes, quotaBytes }: AccountInfo): string {
  if (usedBytes === undefined) return name;
  const of = quotaBytes === undefined ? '' : ` of ${formatSize(quotaBytes)}`;
  return `${name}, ${formatSize(usedBytes)}${of} used`;
}
