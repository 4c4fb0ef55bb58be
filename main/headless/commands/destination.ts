import type { Command } from 'commander';
import type { DestinationSettings } from '../../contract/destination-settings.ts';
import { Fault } from '../../contract/faults.ts';
import { destinationName, type Settings } from '../../contract/settings.ts';
import { destinationCalled, knownDestination } from '../../engine/service/known-destination.ts';
import { forgetDestination, withDestination } from '../../engine/service/kept-together.ts';
import { withClientOf } from '../../engine/service/with-client.ts';
import { askedAnew, askSecrets, storeSecrets } from '../destination-keys.ts';
import { dangerOf, parseDestinationUrl, settingsAsText, whereOf } from '../../compose/destination-url.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, printJson, printLine, table, warn } from '../output.ts';
import { readNewDestinationPassword } from '../passwords.ts';
import { printable } from '../printable.ts';
import { withService } from './with-service.ts';
import { addSignIn } from './destination-sign-in.ts';
import { testDestination } from './test.ts';
import type { JsonOption } from './options.ts';

const nameHelp = 'small letters, digits and dashes';
const addressHelp = 'where it is, such as s3:bucket/prefix?region=eu-central-1 or folder:/mnt/backup (holdfast help destinations)';

/** Destinations by name: their settings in the settings file, their keys in the keychain. */
export function addDestination(program: Command, context: CommandContext): void {
  const group = program
    .command('destination')
    .summary('keep backup places under names')
    .description('Keeps backup places under names, so that -d takes the name. Keys are kept encrypted, apart from the settings.');
  addAdd(group, context);
  addList(group, context);
  addEdit(group, context);
  addRemove(group, context);
  addTry(group, context);
  addSignIn(group, context);
  addPassword(group, context);
}

interface AddOptions extends JsonOption {
  /** False for `--no-test`. */
  readonly test: boolean;
}

function addAdd(group: Command, { host, end }: CommandContext): void {
  group
    .command('add')
    .description('Keeps a backup place under a name and tries it. Keys come from the environment, else they are asked for.')
    .argument('<name>', nameHelp)
    .argument('<address>', addressHelp)
    .option('--no-test', 'do not try it')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  holdfast destination add home-s3 "s3:my-backups/home?preset=wasabi&region=eu-central-1"')
    .action(async (text: string, address: string, options: AddOptions) => {
      const name = checkedName(text);
      const settings = await addressOf(host, address);
      const file = await host.openSettings();
      if (destinationCalled(await file.read(), name) !== undefined) throw exists(name);
      const secrets = await askSecrets(host, settings.provider);
      // Opened before: whoever is asked for its passphrase holds up nobody else.
      if (Object.keys(secrets).length > 0) await (await host.openKeychain()).names();
      await file.alone(async (now) => {
        // Of two who add it at once only one may keep keys under it.
        if (destinationCalled(now, name) !== undefined) throw exists(name);
        await storeSecrets(host, name, settings.provider, secrets);
        await file.update((all) => {
          if (destinationCalled(all, name) !== undefined) throw exists(name);
          return withDestination(all, name, { settings });
        });
      });
      await note(host, `Kept as ${name}: from now on, -d ${name} means it.`);
      if (needsSignIn(settings)) {
        await note(host, `Next: sign in with the provider: holdfast destination sign-in ${name}`);
        if (options.json === true) await printJson(host, []);
        end(exitCodes.done);
      } else if (options.test) end(await testDestination(host, name, options));
      else {
        if (options.json === true) await printJson(host, []);
        end(exitCodes.done);
      }
    });
}

function addList(group: Command, { host, end }: CommandContext): void {
  group
    .command('list')
    .description('Lists the backup places that have names, and none of their keys.')
    .option('--json', 'print one JSON document')
    .action(async (options: JsonOption) => {
      const { destinations } = await (await host.openSettings()).read();
      const rows = Object.entries(destinations).map(([name, { settings, signedInAt }]) => ({
        name,
        provider: settings.provider,
        settings: settingsAsText(settings),
        ...(signedInAt === undefined ? {} : { signedInAt: new Date(signedInAt).toISOString() }),
      }));
      if (options.json === true) await printJson(host, rows);
      else if (rows.length === 0)
        await printLine(host, 'No backup place has a name yet; holdfast destination add NAME ADDRESS gives it one.');
      else {
        const lines = table(
          [{ title: 'Name' }, { title: 'Provider' }, { title: 'Where' }],
          rows.map(({ name, provider, settings }) => [name, provider, printable(whereOf(settings))]),
        );
        for (const line of lines) await printLine(host, line);
      }
      end(exitCodes.done);
    });
}

function addEdit(group: Command, { host, end }: CommandContext): void {
  group
    .command('edit')
    .description('Changes where a named backup place is, or its keys. What is stored stays where it is.')
    .argument('<name>', nameHelp)
    .argument('[address]', addressHelp)
    .option('--keys', 'give its keys anew')
    .option('--json', 'print one JSON document')
    .action(async (name: string, address: string | undefined, options: JsonOption & { readonly keys?: boolean }) => {
      const { settings: before } = knownDestination(await (await host.openSettings()).read(), name);
      // An address says nothing of the client that the account was signed in with.
      const settings = address === undefined ? undefined : withClientOf(await addressOf(host, address), before);
      const secrets = options.keys === true ? await askedAnew(host, before.provider) : {};
      // Whoever types an address means it; what is stored there is for “destination test” and the next backup to find out.
      const request = { name, secrets, moves: true, look: false, ...(settings === undefined ? {} : { settings }) };
      const { moved } = await withService(host, async (service) => await service.call('destination.edit', request));
      if (moved) {
        const from = printable(whereOf(settingsAsText(before)));
        await warn(host, `${name} means another place from now on. What is stored in ${from} stays there and is not seen any more`);
      }
      await (options.json === true
        ? printJson(host, { name, settings: settingsAsText(settings ?? before), moved })
        : printLine(host, `${name} is changed.`));
      end(exitCodes.done);
    });
}

function addRemove(group: Command, { host, end }: CommandContext): void {
  group
    .command('remove')
    .description('Forgets a named backup place and its keys. What is stored there stays.')
    .argument('<name>', nameHelp)
    .option('--json', 'print one JSON document')
    .action(async (name: string, options: JsonOption) => {
      const file = await host.openSettings();
      const keychain = await host.openKeychain();
      const refuse = ({ servers }: Settings): void => {
        const users = servers.filter(({ destinations }) => destinations.includes(name)).map(({ slug }) => slug);
        if (users.length === 0) return;
        throw new Fault('config-invalid', `${name} is where ${users.join(', ')} ${users.length === 1 ? 'is' : 'are'} backed up to`, {
          operation: 'remove destination',
          context: { next: 'Give these servers another destination first.' },
        });
      };
      await forgetDestination({ settings: file, keychain }, name, refuse, await file.read());
      if (options.json === true) await printJson(host, { name, removed: true });
      else await printLine(host, `${name} is forgotten, with its keys. What is stored there stays.`);
      end(exitCodes.done);
    });
}

function addTry(group: Command, { host, end }: CommandContext): void {
  group
    .command('test')
    .description('Tries out a named backup place: put, read, range, list, delete, checksum, clock. What it writes it removes again.')
    .argument('<name>', nameHelp)
    .option('--json', 'print one JSON document')
    .action(async (name: string, options: JsonOption) => {
      checkedName(name);
      end(await testDestination(host, name, options));
    });
}

function addPassword(group: Command, { host, end }: CommandContext): void {
  group
    .command('password')
    .description('Keeps the password of a backup place for the service, after trying it. To change it there: holdfast password.')
    .argument('<name>', nameHelp)
    .option('--password-file <file>', 'read it from a file (else HOLDFAST_PASSWORD, else a prompt)')
    .option('--json', 'print one JSON document')
    .action(async (name: string, options: JsonOption & { readonly passwordFile?: string }) => {
      const password = await readNewDestinationPassword(host, name, options.passwordFile);
      await withService(host, async (service) => await service.call('destination.setPassword', { name, password }));
      await (options.json === true ? printJson(host, { name, kept: true }) : printLine(host, `The password of ${name} is kept.`));
      end(exitCodes.done);
    });
}

function checkedName(name: string): string {
  const checked = destinationName.safeParse(name);
  if (checked.success) return checked.data;
  throw new Fault('config-invalid', `${name} cannot be a name: ${checked.error.issues[0]?.message ?? nameHelp}`, {
    operation: 'name destination',
  });
}

async function addressOf(host: CliHost, address: string): Promise<DestinationSettings> {
  const settings = parseDestinationUrl(address, host.cwd);
  const danger = dangerOf(settings);
  if (danger !== '') await warn(host, danger);
  return settings;
}

function needsSignIn({ provider }: DestinationSettings): boolean {
  return provider === 'google-drive' || provider === 'dropbox';
}

function exists(name: string): Fault {
  return new Fault('already-exists', `There is a destination called ${name} already`, {
    operation: 'add destination',
    context: { next: 'Choose another name, or change it with “holdfast destination edit”.' },
  });
}
