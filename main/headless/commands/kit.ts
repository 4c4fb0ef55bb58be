import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { kitText } from '../../engine/kit/kit-text.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { refuseExisting, writeNewFile } from '../new-file.ts';
import { printJson, printLine } from '../output.ts';
import { pathArgument } from '../path-argument.ts';
import { printable } from '../printable.ts';
import { openDestination, withDestination } from './options.ts';
import type { DestinationOptions } from './options.ts';

interface Options extends DestinationOptions {
  readonly output: string;
  readonly recoveryKey?: boolean;
  readonly html?: boolean;
}

export function addKit(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('kit')
    .summary('write the recovery kit')
    .description(
      'Writes the recovery kit, a text to print or keep elsewhere: settings without secrets, vault records, the steps, and the opener ' +
        'open.py with tree.py. With --recovery-key it also holds the keys, which open everything without the password.',
    )
    .requiredOption(
      '-o, --output <file>',
      'the file to write, readable by you only; an existing one is never replaced; - is standard output',
    )
    .option('--recovery-key', 'put the recovery keys in')
    .option('--html', 'write it as a page for a browser, with the vault as a QR code');
  withDestination(command)
    .addHelpText('after', '\nExample:\n  holdfast kit -d folder:/mnt/backup -o recovery-kit.txt')
    .action(async (options: Options) => {
      const recoveryKey = options.recoveryKey === true;
      const toStdout = options.output === '-';
      if (toStdout && options.json === true)
        throw new Fault('config-invalid', '-o - and --json both want standard output; give one of them');
      const file = pathArgument(host.cwd, options.output, '--output');
      if (!toStdout) await refuseExisting(file);
      const { engine, destination } = await openDestination(host, options);
      const kit = await engine.kit(destination, { recoveryKey }, { signal: host.signal });
      const text = options.html === true ? (await import('../../engine/kit/kit-page.ts')).kitPage(kit) : kitText(kit);
      if (toStdout) await host.stdout.write(text);
      else {
        const bytes = await writeNewFile(file, [Buffer.from(text)]);
        const advice = recoveryKey
          ? 'Whoever has this file can open every snapshot: keep it where no one else comes.'
          : 'It holds no key: the password is still needed.';
        await (options.json === true
          ? printJson(host, { file, bytes, recoveryKey })
          : printLine(host, `The recovery kit is in ${printable(file)}. ${advice}`));
      }
      end(exitCodes.done);
    });
}
