import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { refuseExisting, writeNewFile } from '../new-file.ts';
import { note, printJson, printLine } from '../output.ts';
import { printable } from '../printable.ts';
import { readExportPassphrase } from '../passwords.ts';
import { pathArgument } from '../path-argument.ts';
import { withService } from './with-service.ts';
import type { JsonOption } from './options.ts';

interface FileOptions extends JsonOption {
  readonly passphraseFile?: string;
  readonly yes?: boolean;
}

/** Everything this computer knows, taken to another one; and how fast data may go. */
export function addConfig(program: Command, { host, end }: CommandContext): void {
  const group = program
    .command('config')
    .summary('take the settings along')
    .description('Takes all settings and secrets to a file that a passphrase opens, and brings them to another computer.');
  group
    .command('export')
    .description('Writes all settings and secrets into a new file, encrypted.')
    .argument('<file>', 'the file to make')
    .option('--passphrase-file <file>', 'read its passphrase from a file (else HOLDFAST_EXPORT_PASSPHRASE, else a prompt)')
    .option('--json', 'print one JSON document')
    .action(async (file: string, options: FileOptions) => {
      const path = pathArgument(host.cwd, file, 'FILE');
      await refuseExisting(path);
      const passphrase = await readExportPassphrase(host, options.passphraseFile, true);
      const exported = await withService(host, async (service) => await service.call('settings.export', { passphrase }));
      await writeNewFile(path, [Buffer.from(exported.file, 'base64')]);
      await (options.json === true
        ? printJson(host, { file: path })
        : printLine(host, `Everything is in ${file}; only its passphrase opens it.`));
      end(exitCodes.done);
    });
  group
    .command('import')
    .description('Puts the settings and secrets of a file in the place of all there are on this computer.')
    .argument('<file>', 'what “config export” wrote')
    .option('--passphrase-file <file>', 'read its passphrase from a file (else HOLDFAST_EXPORT_PASSPHRASE, else a prompt)')
    .option('--yes', 'also where there are settings already')
    .option('--json', 'print one JSON document')
    .action(async (file: string, options: FileOptions) => {
      const bytes = await readFile(pathArgument(host.cwd, file, 'FILE')).catch((error: unknown) => {
        throw new Fault('not-found', `The file ${file} cannot be read`, { operation: 'import settings', cause: error });
      });
      const before = await (await host.openSettings()).read();
      if ((before.servers.length > 0 || Object.keys(before.destinations).length > 0) && options.yes !== true) {
        throw new Fault('already-exists', 'There are settings on this computer already, which the file would replace', {
          operation: 'import settings',
          context: { next: 'Export them first if you want them back, then say --yes.' },
        });
      }
      const passphrase = await readExportPassphrase(host, options.passphraseFile, false);
      const { leftOut } = await withService(
        host,
        async (service) => await service.call('settings.import', { file: bytes.toString('base64'), passphrase }),
      );
      for (const name of leftOut)
        await note(host, printable(`${name} is given by a credential of systemd here: that of the file was left out.`));
      await (options.json === true
        ? printJson(host, { imported: true, leftOut })
        : printLine(host, 'The settings and secrets are on this computer now.'));
      end(exitCodes.done);
    });
}

export function addBandwidth(program: Command, { host, end }: CommandContext): void {
  program
    .command('bandwidth')
    .summary('limit how fast data goes')
    .description('Shows or sets how fast the service may send and fetch, in rclone’s syntax: 10M, 10M:1M (up:down), off, or a timetable.')
    .argument('[limit]', 'such as "08:00,512K 19:00,10M 23:00,off"')
    .option('--while-players <limit>', 'what holds besides while players are on a server that can be asked for them')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  holdfast bandwidth "08:00,2M 23:00,off" --while-players 512K')
    .action(async (limit: string | undefined, options: JsonOption & { readonly whilePlayers?: string }) => {
      const now = await withService(host, async (service) => {
        const before = await service.call('bandwidth.get', {});
        if (limit === undefined && options.whilePlayers === undefined) return before;
        return await service.call('bandwidth.set', {
          limit: limit ?? before.limit,
          whilePlayers: options.whilePlayers ?? before.whilePlayers,
        });
      });
      if (options.json === true) await printJson(host, now);
      else await printLine(host, `Limit: ${now.limit}; while players are on: ${now.whilePlayers}`);
      end(exitCodes.done);
    });
}
