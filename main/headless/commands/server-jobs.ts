import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import type { Job } from '../../contract/jobs.ts';
import { isDue } from '../../engine/service/facts.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, printJson, printLine, table } from '../output.ts';
import { pathArgument } from '../path-argument.ts';
import { printable } from '../printable.ts';
import type { Connection } from '../../compose/service/connect.ts';
import { formatTime } from '../times.ts';
import { formatSize, parseCount } from '../units.ts';
import { append } from './options.ts';
import { untilOf, type PauseOptions } from './pause-until.ts';
import type { JsonOption } from './options.ts';
import { ran } from './run-job.ts';
import { withService } from './with-service.ts';

const slugHelp = 'its name in “holdfast server list”';

interface BackupOptions extends JsonOption {
  readonly force?: boolean;
  readonly takeOver?: boolean;
  readonly whole?: boolean;
}

/** What is done with a server now, and looked at. With a running service it is the service that does it. */
export function addServerJobs(group: Command, context: CommandContext): void {
  const { host, end } = context;

  group
    .command('backup')
    .description('Backs a server up now, with everything that belongs to it, and waits for the end.')
    .argument('<server>', slugHelp)
    .option('--force', 'write a snapshot even when nothing has changed')
    .option('--whole', 'a snapshot that rests on no earlier one')
    .option('--take-over', 'become the owner of a server that another computer backed up')
    .option('--json', 'print one JSON document')
    .action(async (slug: string, options: BackupOptions) => {
      const how = { force: options.force === true, takeOver: options.takeOver === true, whole: options.whole === true };
      end(await ran(host, options, (service) => service.call('backup.start', { slug, ...how }), noteChecksDue));
    });

  group
    .command('verify')
    .description('Reads a snapshot of a server back as a whole.')
    .argument('<server>', slugHelp)
    .argument('[snapshot]', 'an id, or the beginning of one', 'latest')
    .option('--from <place>', 'the backup place (default: the first of the server)')
    .option('--quick', 'only look whether everything is there')
    .option('--json', 'print one JSON document')
    .action(async (slug: string, snapshot: string, options: JsonOption & PlaceOption & { readonly quick?: boolean }) => {
      const quick = options.quick === true;
      end(
        await ran(host, options, async (service) =>
          service.call('verify.start', { slug, snapshot, quick, destination: await placeOf(service, slug, options) }),
        ),
      );
    });

  group
    .command('drill')
    .description('Restores the newest snapshot for trial into a scratch folder and compares every file.')
    .argument('<server>', slugHelp)
    .option('--from <place>', 'the backup place (default: the first of the server)')
    .option('--json', 'print one JSON document')
    .action(async (slug: string, options: JsonOption & PlaceOption) => {
      end(
        await ran(host, options, async (service) =>
          service.call('drill.start', { slug, destination: await placeOf(service, slug, options) }),
        ),
      );
    });

  group
    .command('restore')
    .description(
      'Brings a server back. With --replace its own folder is replaced in one step, the server stopped before and started after.',
    )
    .argument('<server>', slugHelp)
    .argument('[snapshot]', 'an id, or the beginning of one', 'latest')
    .option('--target <folder>', 'where to (default with --replace: the server’s own folder)')
    .option('--from <place>', 'the backup place (default: the first of the server)')
    .option('--include <pattern>', 'only what matches; may be given several times', append)
    .option('--replace', 'replace the folder; what was there is kept beside it (holdfast undo)')
    .option('--force', 'also where the folder is in use')
    .option('--json', 'print one JSON document')
    .action(async (slug: string, snapshot: string, options: RestoreOptions) => {
      let target = '';
      const begin = async (service: Connection): Promise<{ job: string }> => {
        const { folder } = (await service.call('server.get', { slug })).settings;
        if (options.target === undefined && options.replace !== true) {
          throw new Fault('config-invalid', 'Give --target FOLDER, or --replace to put it in the place of what is there', {
            operation: 'restore',
          });
        }
        target = options.target === undefined ? folder : pathArgument(host.cwd, options.target, '--target');
        return await service.call('restore.start', {
          ...{ slug, snapshot, destination: await placeOf(service, slug, options), target },
          include: [...(options.include ?? [])],
          replace: options.replace === true,
          force: options.force === true,
        });
      };
      end(await ran(host, options, begin, async (_, service, job) => await noteKept(host, service, target, job)));
    });

  group
    .command('pause')
    .description('Starts nothing by itself for a while. What runs goes on.')
    .argument('<server>', slugHelp)
    .option('--hours <n>', 'for so long (default: until it is resumed)')
    .option('--until-tomorrow', 'until the next midnight where the server is')
    .option('--json', 'print one JSON document')
    .action(async (slug: string, options: JsonOption & PauseOptions) => {
      const status = await withService(host, async (service) => {
        const { occurrencesOf } = await import('../../engine/schedule/occurrences.ts');
        const { zone } = (await service.call('server.get', { slug })).settings;
        return await service.call('server.pause', {
          slug,
          until: untilOf(host.now(), options, () => occurrencesOf({ kind: 'daily', at: ['00:00'] }, zone)),
        });
      });
      const until = status.pausedUntil ?? 0;
      if (options.json === true) await printJson(host, status);
      else
        await printLine(
          host,
          `${printable(slug)} is paused${until === 0 ? ' until you resume it' : ` until ${formatTime(new Date(until).toISOString(), host.zone)}`}.`,
        );
      end(exitCodes.done);
    });

  group
    .command('resume')
    .description('Ends a pause.')
    .argument('<server>', slugHelp)
    .option('--json', 'print one JSON document')
    .action(async (slug: string, options: JsonOption) => {
      const status = await withService(host, async (service) => await service.call('server.resume', { slug }));
      await (options.json === true ? printJson(host, status) : printLine(host, `${printable(slug)} goes on.`));
      end(exitCodes.done);
    });

  group
    .command('jobs')
    .description('Lists what was done, the newest first.')
    .argument('[server]', slugHelp)
    .option('--limit <n>', 'at most so many', '20')
    .option('--json', 'print one JSON document')
    .action(async (slug: string | undefined, options: JsonOption & { readonly limit: string }) => {
      const limit = parseCount(options.limit, '--limit', { min: 1, max: 1000 });
      const jobs = await withService(host, async (service) =>
        service.call('jobs.list', { limit, ...(slug === undefined ? {} : { server: slug }) }),
      );
      if (options.json === true) await printJson(host, jobs);
      else
        for (const line of table(
          jobColumns,
          jobs.map((job) => rowOf(host, job)),
        ))
          await printLine(host, line);
      end(exitCodes.done);
    });
}

interface PlaceOption {
  readonly from?: string;
}

interface RestoreOptions extends JsonOption, PlaceOption {
  readonly target?: string;
  readonly include?: readonly string[];
  readonly replace?: boolean;
  readonly force?: boolean;
}

const jobColumns = [{ title: 'When' }, { title: 'Server' }, { title: 'Job' }, { title: 'How' }, { title: '' }];

function rowOf(host: CliHost, { queuedAt, startedAt, server, kind, state, summary }: Job): readonly string[] {
  return [formatTime(new Date(startedAt ?? queuedAt).toISOString(), host.zone), printable(server), kind, state, printable(summary)];
}

async function placeOf(service: Connection, slug: string, { from }: PlaceOption): Promise<string> {
  const { destinations } = (await service.call('server.get', { slug })).settings;
  if (from === undefined) return destinations[0] ?? '';
  if (destinations.includes(from)) return from;
  throw new Fault('config-invalid', `${slug} does not go to ${from}; it goes to ${destinations.join(', ')}`, {
    operation: 'find destination',
  });
}

/** Where no service runs nobody reads it back by itself: the command would last as long again, or longer. */
async function noteChecksDue(host: CliHost, service: Connection, { server, fault }: Job): Promise<void> {
  if (service.isService || fault !== null) return;
  const { settings, lastVerified, lastProven } = await service.call('server.get', { slug: server });
  const due = [
    ...(isDue(settings.verify, lastVerified, host.now()) ? [`holdfast server verify ${server}`] : []),
    ...(isDue(settings.drill, lastProven, host.now()) ? [`holdfast server drill ${server}`] : []),
  ];
  if (due.length > 0) await note(host, `To be read back now, which a running service does by itself: ${due.join('; ')}`);
}

/** It takes room until somebody discards it. */
async function noteKept(host: CliHost, service: Connection, target: string, { kept }: Job): Promise<void> {
  const [newest] = kept === true ? await service.call('undo.list', { target }) : [];
  if (newest !== undefined) await note(host, `What was there before takes ${formatSize(newest.bytes)}: ${printable(newest.before)}`);
}
