import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { describePolicy } from '../../engine/retention/describe.ts';
import { simulateRetention } from '../../engine/retention/simulate.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, printJson, printLine, table } from '../output.ts';
import { formatTime, parseTime } from '../times.ts';
import { checkedZone, readKeepRules, withKeepRules } from './options.ts';
import type { JsonOption, KeepOptions } from './options.ts';

interface Options extends KeepOptions, JsonOption {
  readonly zone?: string;
  readonly now?: string;
}

/** A snapshot every minute for thirty years: about 21 bytes a line. Below the longest string that V8 takes. */
const maxInputBytes = 448 * 1024 * 1024;

export function addRetention(program: Command, { host, end }: CommandContext): void {
  const retention = program.command('retention').summary('try out rules').description('Tries out the rules for what to keep.');
  const simulate = retention
    .command('simulate')
    .summary('say what rules would keep')
    .description('Reads ISO times, one a line, on standard input and says which of these snapshots the rules would keep.');
  withKeepRules(simulate)
    .option('--now <iso>', 'pretend that it is this time')
    .optionsGroup('Output:')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  seq -f 2026-11-%02gT03:00:00Z 1 30 | holdfast retention simulate --keep-daily 7 --keep-weekly 4')
    .action(async (options: Options) => {
      const policy = readKeepRules(options);
      const zone = checkedZone(options.zone ?? host.zone);
      const now = options.now === undefined ? host.now() : parseTime(options.now, zone, '--now');
      const { keep, remove } = simulateRetention(await readInput(host), policy, { zone, now });
      if (options.json === true) {
        await printJson(host, {
          keep: keep.map(({ id, time, reasons }) => ({ id, time: isoTime(time), reasons })),
          remove: remove.map(({ id, time }) => ({ id, time: isoTime(time) })),
        });
      } else {
        const rows = [
          ...keep.map(({ id, time, reasons }) => ({ time, cells: ['keep', formatTime(isoTime(time), zone), id, reasons.join(', ')] })),
          ...remove.map(({ id, time }) => ({ time, cells: ['remove', formatTime(isoTime(time), zone), id, ''] })),
        ].sort((a, b) => b.time - a.time);
        const [, ...lines] = table(
          [{ title: '' }, { title: '' }, { title: '' }, { title: '' }],
          rows.map(({ cells }) => cells),
        );
        if (lines.length > 0) await printLine(host, lines.join('\n'));
        await note(host, `${describePolicy(policy)} ${keep.length} kept, ${remove.length} removed, in the time zone ${zone}.`);
      }
      end(exitCodes.done);
    });
}

async function readInput(host: CliHost): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of host.stdin) {
    length += piece.length;
    if (length > maxInputBytes)
      throw new Fault('config-invalid', 'Standard input is too long to be a list of times', { operation: 'simulate retention' });
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** UTC, without a fraction where there is none, so that what was given comes back. */
function isoTime(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
