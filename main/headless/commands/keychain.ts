import { Argument } from 'commander';
import type { Command } from 'commander';
import { keychainKinds, type Keychain, type KeychainKind } from '../../contract/destinations.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { printJson, printLine, warn } from '../output.ts';
import { readPassphrase } from '../passwords.ts';
import { printable } from '../printable.ts';
import { withService } from './with-service.ts';
import type { JsonOption } from './options.ts';

const kindsHelp = `
Kinds:
  sealed-file   a file that a passphrase opens; a service needs it at its start, from HOLDFAST_KEYCHAIN_PASSPHRASE_FILE or as the
                credential holdfast.passphrase of systemd
  system        the keyring of the desktop (Secret Service), the Keychain, the Credential Manager
  machine-key   a file that this computer opens by itself: for servers where nobody can type a passphrase. Weak: whoever can read
                all files of this user can read the secrets
`;

/** Where secrets are kept. */
export function addKeychain(program: Command, { host, end }: CommandContext): void {
  const group = program
    .command('keychain')
    .summary('choose where secrets are kept')
    .description('Shows where the secrets are kept: keys of backup places, their passwords, RCON passwords.')
    .enablePositionalOptions()
    .option('--json', 'print one JSON document')
    .addHelpText('after', kindsHelp)
    .action(async (options: JsonOption) => {
      await withService(host, async (service) => await show(host, options, await service.call('keychain.describe', {})));
      end(exitCodes.done);
    });
  group
    .command('use')
    .description('Moves all secrets to another keychain.')
    .addArgument(new Argument('<kind>', 'one of the kinds below').choices(keychainKinds))
    .option('--yes', 'also where it is weak')
    .option('--json', 'print one JSON document')
    .addHelpText('after', kindsHelp)
    .action(async (kind: KeychainKind, options: JsonOption & { readonly yes?: boolean }) => {
      const passphrase = kind === 'sealed-file' ? await readPassphrase(host, true) : undefined;
      await withService(host, async (service) => {
        const about = await service.call('keychain.use', {
          kind,
          acceptWeak: options.yes === true,
          ...(passphrase === undefined ? {} : { passphrase }),
        });
        await show(host, options, about);
      });
      end(exitCodes.done);
    });
}

async function show(host: CliHost, options: JsonOption, about: Keychain): Promise<void> {
  if (options.json === true) return await printJson(host, about);
  await printLine(host, `${about.kind}: secrets are kept ${printable(about.says)}.`);
  if (about.locked) await warn(host, 'It is locked now: nothing is backed up until it is unlocked');
  if (!about.strong) await warn(host, 'This is weak: it keeps secrets out of sight, not from who can read this user’s files');
}
