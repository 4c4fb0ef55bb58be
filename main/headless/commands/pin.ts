import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.ts';
import type { CommandContext } from '../host.ts';
import { printJson, printLine } from '../output.ts';
import { printable } from '../printable.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';

const snapshotHelp = 'an id, a unique beginning of one, or latest';

export function addPin(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('pin')
    .summary('keep a snapshot whatever the rules say')
    .description('Keeps a snapshot: prune leaves it alone until it is unpinned.')
    .argument('<snapshot>', snapshotHelp)
    .option('--note <text>', 'why it is kept');
  withDestination(withServer(command))
    .addHelpText('after', '\nExample:\n  holdfast pin latest -d folder:/mnt/backup --note "before the update"')
    .action(async (snapshot: string, options: DestinationOptions & ServerOption & { readonly note?: string }) => {
      const { engine, destination } = await openDestination(host, options);
      const { server, note } = options;
      const id = await engine.pin(destination, { snapshot, ...given({ server, note }) }, { signal: host.signal });
      const done = { snapshot: id, pinned: true, ...given({ note }) };
      await (options.json === true ? printJson(host, done) : printLine(host, `Snapshot ${printable(id)} is pinned.`));
      end(exitCodes.done);
    });
}

export function addUnpin(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('unpin')
    .summary('let the rules decide about a snapshot again')
    .description('Takes the pin off a snapshot.')
    .argument('<snapshot>', snapshotHelp);
  withDestination(withServer(command))
    .addHelpText('after', '\nExample:\n  holdfast unpin 20261123T220500Z-k3v9qa -d folder:/mnt/backup')
    .action(async (snapshot: string, options: DestinationOptions & ServerOption) => {
      const { engine, destination } = await openDestination(host, options);
      const id = await engine.unpin(destination, { snapshot, ...given({ server: options.server }) }, { signal: host.signal });
      const done = { snapshot: id, pinned: false };
      await (options.json === true ? printJson(host, done) : printLine(host, `Snapshot ${printable(id)} is no longer pinned.`));
      end(exitCodes.done);
    });
}
