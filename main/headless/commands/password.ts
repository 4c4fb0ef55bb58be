import type { Command } from 'commander';
import { destinationName } from '../../contract/settings.ts';
import { replaceKeptPassword } from '../kept-password.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { printJson, printLine } from '../output.ts';
import { readNewPassword } from '../passwords.ts';
import { openDestination, withDestination } from './options.ts';
import type { DestinationOptions } from './options.ts';

const newKeyAdvice =
  'It does not lock out someone who knows the old password and has old files: use --new-key for that, which begins a new vault key ' +
  '(the next snapshot is whole). What was written before stays open to them either way.';

export function addPassword(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('password')
    .summary('change the password')
    .description(
      `Changes the password: one small object is rewritten, and every snapshot but classic ones opens with the new one. ${newKeyAdvice} ` +
        'The new password comes from --new-password-file, else HOLDFAST_NEW_PASSWORD, else a prompt.',
    )
    .option('--new-key', 'begin a new vault key as well')
    .option('--new-password-file <file>', 'read the new password from a file');
  withDestination(command)
    .addHelpText('after', '\nExample:\n  holdfast password -d folder:/mnt/backup')
    .action(async (options: DestinationOptions & { readonly newKey?: boolean; readonly newPasswordFile?: string }) => {
      const { engine, destination } = await openDestination(host, options);
      const newPassword = await readNewPassword(options.newPasswordFile, host);
      const request = { newPassword, newKey: options.newKey === true };
      const report = await engine.changePassword(destination, request, { signal: host.signal });
      if (destinationName.safeParse(options.destination).success) await replaceKeptPassword(host, options.destination, newPassword);
      if (options.json === true) await printJson(host, report);
      else {
        await printLine(
          host,
          'The password is changed. Every snapshot opens with the new one, but for classic ones, which keep the password they were written with.',
        );
        await printLine(host, report.newKey ? 'A new vault key holds from now on; the next snapshot is whole.' : newKeyAdvice);
      }
      end(exitCodes.done);
    });
}
