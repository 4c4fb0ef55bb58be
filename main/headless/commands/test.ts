import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { DestinationCheck } from '../../contract/reports.ts';
import type { Backend } from '../../engine/storage/backend.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { painter, printJson, printLine, warn } from '../output.ts';
import { printable } from '../printable.ts';
import { findDestination, readSecrets } from '../find-destination.ts';
import { readRates, withRates } from './options.ts';
import type { JsonOption, RateOptions } from './options.ts';

export function addTest(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('test')
    .summary('try out a destination')
    .description('Tries out a destination: put, read, range, list, delete, checksum, clock. What it writes it removes again.')
    .argument('<destination>', 'the backup place: its name, or an address such as folder:/mnt/backup')
    .option('--json', 'print one JSON document');
  withRates(command)
    .addHelpText('after', '\nExample:\n  holdfast test folder:/mnt/backup')
    .action(async (place: string, options: JsonOption & RateOptions) => {
      end(await testDestination(host, place, options));
    });
}

/** Tries everything and prints a line for each check; settles to the exit code. */
export async function testDestination(host: CliHost, place: string, options: JsonOption & RateOptions): Promise<number> {
  const found = await findDestination(host, place);
  const secrets = await readSecrets(host, found);
  const made = found.settings.provider === 'folder' && !existsSync(found.settings.path);
  const open = (): Promise<Backend> => host.openBackend(found, secrets, readRates(options));
  const paint = painter(host.stdout, host.env);
  const checks: DestinationCheck[] = [];
  for await (const check of host.initializeProvider(open, host.signal)) {
    checks.push(check);
    if (options.json === true) continue;
    await printLine(host, `${check.ok ? paint('green', '✓') : paint('red', '✗')} ${printable(check.name)}: ${printable(check.message)}`);
    if (!check.ok && check.next !== '') await printLine(host, `  Next: ${printable(check.next)}`);
  }
  const failed = checks.filter(({ ok }) => !ok).length;
  if (options.json === true) await printJson(host, checks);
  else await printLine(host, failed === 0 ? 'The destination can be used.' : 'The destination cannot be used as it is.');
  if (made && failed === 0)
    await warn(
      host,
      'Its folder was not there and has been made. If it is to lie on another disk, see that this is mounted, and that the path is right.',
    );
  return failed === 0 ? exitCodes.done : exitCodes.failed;
}
