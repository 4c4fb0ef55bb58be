import type { Command } from 'commander';
import type { DestinationCheck } from '../../contract/reports.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { painter, printJson, printLine } from '../output.ts';
import { printable } from '../printable.ts';
import { readDestination, readRates, withRates } from './options.ts';
import type { JsonOption, RateOptions } from './options.ts';

export function addTest(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('test')
    .summary('try out a destination')
    .description('Tries out a destination: put, read, range, list, delete, checksum, clock. What it writes it removes again.')
    .argument('<destination>', 'the backup place, such as folder:/mnt/backup or s3:bucket/prefix')
    .option('--json', 'print one JSON document');
  withRates(command)
    .addHelpText('after', '\nExample:\n  holdfast test folder:/mnt/backup')
    .action(async (url: string, options: JsonOption & RateOptions) => {
      const backend = await host.openBackend(await readDestination(host, url), readRates(options));
      const paint = painter(host.stdout, host.env);
      const checks: DestinationCheck[] = [];
      for await (const check of host.checkDestination(backend, host.signal)) {
        checks.push(check);
        if (options.json === true) continue;
        await printLine(
          host,
          `${check.ok ? paint('green', '✓') : paint('red', '✗')} ${printable(check.name)}: ${printable(check.message)}`,
        );
        if (!check.ok && check.next !== '') await printLine(host, `  Next: ${printable(check.next)}`);
      }
      const failed = checks.filter(({ ok }) => !ok).length;
      if (options.json === true) await printJson(host, checks);
      else await printLine(host, failed === 0 ? 'The destination can be used.' : 'The destination cannot be used as it is.');
      end(failed === 0 ? exitCodes.done : exitCodes.failed);
    });
}
