import { Option } from 'commander';
import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import type { KeptBefore, RestoreTargets, UndoTarget } from '../../engine/snapshots/restore-target.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, printJson, printLine, table } from '../output.ts';
import { pathArgument } from '../path-argument.ts';
import { printable } from '../printable.ts';
import { formatTime } from '../times.ts';
import { count, formatSize } from '../units.ts';
import type { JsonOption } from './options.ts';

interface Options extends JsonOption {
  readonly target: string;
  readonly list?: boolean;
  readonly discard?: boolean;
  readonly force?: boolean;
}

export function addUndo(program: Command, { host, end }: CommandContext): void {
  program
    .command('undo')
    .summary('take a restore back')
    .description('Puts back what a folder held before the last restore, or lists or deletes what restores set aside. Undo can be undone.')
    .requiredOption('--target <folder>', 'the folder that was restored')
    .option('--list', 'only list what is kept, with its size')
    .addOption(new Option('--discard', 'delete all that is kept').conflicts('list'))
    .addOption(new Option('--force', 'go on although a process uses the folder').conflicts(['list', 'discard']))
    .optionsGroup('Output:')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExample:\n  holdfast undo --target /srv/survival')
    .action(async (options: Options) => {
      const target = pathArgument(host.cwd, options.target, '--target');
      const { restore, undo } = await host.openTargets();
      for (const done of await finishLeftBehind(restore, target, options)) await note(host, printable(done));
      const kept = options.list === true ? await undo.list(target) : options.discard === true ? await undo.discard(target) : null;
      if (kept === null) await putBack(host, undo, target, options);
      else if (options.json === true) await printJson(host, kept.map(toJson));
      else await printKept(host, kept, options.discard === true);
      end(exitCodes.done);
    });
}

/** Whoever is at work there has finished it already; a list need not wait for them. */
async function finishLeftBehind(restore: RestoreTargets, target: string, { list }: Options): Promise<readonly string[]> {
  try {
    return await restore.recover(target);
  } catch (error) {
    if (list === true && error instanceof Fault && error.code === 'locked') return [];
    throw error;
  }
}

async function putBack(host: CliHost, undo: UndoTarget, target: string, options: Options): Promise<void> {
  const undone = await undo.undo(target, { force: options.force === true, time: host.now() });
  for (const text of undone.notes) await note(host, printable(text));
  if (options.json === true) return printJson(host, undone);
  await printLine(host, `${printable(undone.restored)} is in its place again: ${printable(target)}`);
  if (undone.before === null) return;
  const bytes = (await undo.list(target)).find(({ before }) => before === undone.before)?.bytes;
  const size = bytes === undefined ? '' : ` (${formatSize(bytes)})`;
  await printLine(host, `What was there until now lies in ${printable(undone.before)}${size}; the same command brings it back.`);
}

async function printKept(host: CliHost, kept: readonly KeptBefore[], deleted: boolean): Promise<void> {
  if (kept.length === 0) return note(host, 'Nothing is kept.');
  const rows = kept.map(({ before, time, bytes, files, partial }) => [
    formatTime(new Date(time).toISOString(), host.zone),
    formatSize(bytes),
    count(files, 'file'),
    `${printable(before)}${partial ? ' (only what a partial restore exchanged)' : ''}`,
  ]);
  const columns = [{ title: '' }, { title: '', align: 'right' }, { title: '', align: 'right' }, { title: '' }] as const;
  for (const line of table(columns, rows).slice(1)) await printLine(host, line);
  const total = formatSize(kept.reduce((sum, { bytes }) => sum + bytes, 0));
  await note(host, deleted ? `Deleted; ${total} are free again.` : `Together ${total}. To delete: holdfast undo --target FOLDER --discard`);
}

function toJson({ before, time, bytes, files, partial }: KeptBefore): Readonly<Record<string, unknown>> {
  return { before, time: new Date(time).toISOString(), bytes, files, partial };
}
