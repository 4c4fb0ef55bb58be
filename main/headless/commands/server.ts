import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { firstIssue } from '../../contract/first-issue.ts';
import { saying } from '../../contract/sayings.ts';
import { serverSchema, type ServerSettings } from '../../contract/server-settings.ts';
import type { ServerStatus } from '../../contract/server-status.ts';
import { slugify } from '../../contract/slug.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, printJson, printLine, table, warn } from '../output.ts';
import { readNewDestinationPassword } from '../passwords.ts';
import { pathArgument } from '../path-argument.ts';
import { printable } from '../printable.ts';
import { formatTime } from '../times.ts';
import { formatSize } from '../units.ts';
import type { Connection } from '../../compose/service/connect.ts';
import { withService } from './with-service.ts';
import { addServerJobs } from './server-jobs.ts';
import { readServerOptions, withServerOptions, type ServerOptions } from './server-options.ts';
import type { JsonOption } from './options.ts';

/** Servers: folders with a schedule. */
export function addServer(program: Command, context: CommandContext): void {
  const group = program
    .command('server')
    .summary('keep folders with a schedule')
    .description('Keeps servers: folders that are backed up by themselves, each with its schedule and its backup places.');
  addAdd(group, context);
  addList(group, context);
  addShow(group, context);
  addEdit(group, context);
  addRemove(group, context);
  addServerJobs(group, context);
}

function addAdd(group: Command, { host, end }: CommandContext): void {
  const command = group
    .command('add')
    .description('Adds a server. From then on the running service backs it up; the password of a backup place is asked for once and kept.')
    .argument('<name>', 'what you call it')
    .argument('<folder>', 'the folder to back up; it is only read');
  withServerOptions(command)
    .option('--password-file <file>', 'read the password of a new backup place from a file (else HOLDFAST_PASSWORD, else a prompt)')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nExample:\n  holdfast server add Survival /srv/survival --to nas --daily 04:00 --preset minecraft --minecraft --keep-daily 7',
    )
    .action(async (name: string, folder: string, options: ServerOptions & JsonOption & { readonly passwordFile?: string }) => {
      const path = pathArgument(host.cwd, folder, 'FOLDER');
      const { settings, rconPassword } = await readServerOptions(host, options, path);
      const server = parsed({ zone: host.zone, ...settings, name, slug: slugify(name), folder: path });
      await withService(host, async (service) => {
        await keepPasswords(host, service, server.destinations, { file: options.passwordFile });
        const status = await service.call('server.add', { server, ...(rconPassword === undefined ? {} : { rconPassword }) });
        if (options.json === true) return await printJson(host, status);
        await printLine(host, `${name} is kept as ${server.slug}. ${await whenNext(service, status)}`);
        if (!service.isService) await note(host, 'Next: the service does not run; start it with: holdfast service install');
        await note(host, `Try it now: holdfast server backup ${server.slug}`);
      });
      end(exitCodes.done);
    });
}

/** What opens each backup place must be kept: nobody is there to be asked at night. `before`: those that it goes to already. */
async function keepPasswords(
  host: CliHost,
  service: Connection,
  names: readonly string[],
  { file, before = [] }: { readonly file?: string | undefined; readonly before?: readonly string[] } = {},
): Promise<void> {
  const rows = await service.call('destinations.list', {});
  for (const name of names) {
    const row = rows.find((one) => one.name === name);
    if (row === undefined || row.hasPassword === true) continue;
    // A locked keychain does not tell; what was asked for before needs no word about it.
    if (row.hasPassword === null && before.includes(name)) continue;
    if (row.hasPassword === null) throw lockedFor(name);
    const password = await readNewDestinationPassword(host, name, file);
    await service.call('destination.setPassword', { name, password });
  }
}

function lockedFor(name: string): Fault {
  return new Fault('locked', `the keychain is locked, so that the password of ${name} can be neither seen nor kept`, {
    operation: 'keep password',
    context: {
      ...saying('keychain-locked', {}),
      next: 'Open it on the page (holdfast open-page), or give its passphrase with HOLDFAST_KEYCHAIN_PASSPHRASE_FILE; “holdfast keychain” shows which one it is.',
    },
  });
}

async function whenNext(service: Connection, { settings }: ServerStatus): Promise<string> {
  if (settings.schedule.kind === 'manual') return 'It has no schedule: it is backed up when you say so.';
  const [next] = await service.call('schedule.preview', { schedule: settings.schedule, zone: settings.zone, count: 1 });
  return next === undefined ? 'Its schedule never comes.' : `Next backup: ${formatTime(new Date(next).toISOString(), settings.zone)}.`;
}

function addList(group: Command, { host, end }: CommandContext): void {
  group
    .command('list')
    .description('Lists the servers, how each is, and when it is backed up next.')
    .option('--json', 'print one JSON document')
    .action(async (options: JsonOption) => {
      await withService(host, async (service) => {
        const servers = await service.call('servers.list', {});
        if (options.json === true) return await printJson(host, servers);
        if (servers.length === 0)
          return await printLine(host, 'There is no server yet; holdfast server add NAME FOLDER --to PLACE adds one.');
        const time = (at: number | null): string => (at === null ? '–' : formatTime(new Date(at).toISOString(), host.zone));
        const rows = servers.map((status) => [
          printable(status.settings.slug),
          status.state,
          time(status.lastSuccess),
          time(status.nextRun),
          formatSize(status.bytes),
          printable(status.why),
        ]);
        const columns = [
          { title: 'Server' },
          { title: 'State' },
          { title: 'Last backup' },
          { title: 'Next' },
          { title: 'Size' },
          { title: '' },
        ];
        for (const line of table(columns, rows)) await printLine(host, line);
        if (!service.isService) await warn(host, 'The service does not run: nothing is backed up by itself (holdfast service install)');
      });
      end(exitCodes.done);
    });
}

function addShow(group: Command, { host, end }: CommandContext): void {
  group
    .command('show')
    .description('Shows everything about one server.')
    .argument('<server>', 'its name in “holdfast server list”')
    .option('--json', 'print one JSON document')
    .action(async (slug: string, options: JsonOption) => {
      await withService(host, async (service) => {
        const status = await service.call('server.get', { slug });
        const { settings } = status;
        const next = await service.call('schedule.preview', { schedule: settings.schedule, zone: settings.zone, count: 3 });
        if (options.json === true) return await printJson(host, { ...status, nextRuns: next });
        for (const line of described(status, next)) await printLine(host, printable(line));
      });
      end(exitCodes.done);
    });
}

function described(status: ServerStatus, next: readonly number[]): readonly string[] {
  const { settings, state, why, lastSuccess, unchangedSince, lastProven, lastVerified } = status;
  const time = (at: number | null): string => (at === null ? 'never' : formatTime(new Date(at).toISOString(), settings.zone));
  const unchanged =
    unchangedSince !== null && lastSuccess !== null && unchangedSince < lastSuccess ? `, unchanged since ${time(unchangedSince)}` : '';
  return [
    `${settings.name} (${settings.slug}): ${state}${why === '' ? '' : `. ${why}`}`,
    ...(status.next === '' ? [] : [`Next step:      ${status.next}`]),
    `Folder:         ${settings.folder}`,
    `Goes to:        ${settings.destinations.join(', ')}`,
    `Last checked:   ${time(lastSuccess)}${unchanged}`,
    `Last proven restorable: ${time(lastProven)}`,
    `Last verified:  ${time(lastVerified)}`,
    `Next runs:      ${next.map(time).join(', ') || (settings.schedule.kind === 'manual' ? 'none: it has no schedule' : 'none: the time of its schedule never comes')}`,
    `While copying:  ${settings.quiesce.kind === 'none' ? 'the server goes on' : settings.quiesce.kind}`,
  ];
}

function addEdit(group: Command, { host, end }: CommandContext): void {
  const command = group
    .command('edit')
    .description(
      'Changes a server. What is not given stays; lists (--to, --exclude) are replaced as a whole, and so are all hooks by any --hook-… of a command.',
    )
    .argument('<server>', 'its name in “holdfast server list”')
    .option('--folder <path>', 'another folder');
  withServerOptions(command)
    .option('--json', 'print one JSON document')
    .action(async (slug: string, options: ServerOptions & JsonOption & { readonly folder?: string }) => {
      await withService(host, async (service) => {
        const before = (await service.call('server.get', { slug })).settings;
        const folder = options.folder === undefined ? before.folder : pathArgument(host.cwd, options.folder, '--folder');
        const { settings, rconPassword } = await readServerOptions(host, options, folder, before.hooks);
        const keep = settings.keep === undefined ? before.keep : { ...before.keep, ...settings.keep };
        const server = parsed({ ...before, ...settings, keep, folder });
        await keepPasswords(host, service, server.destinations, { before: before.destinations });
        const status = await service.call('server.edit', { server, ...(rconPassword === undefined ? {} : { rconPassword }) });
        await (options.json === true ? printJson(host, status) : printLine(host, `${slug} is changed. ${await whenNext(service, status)}`));
      });
      end(exitCodes.done);
    });
}

function addRemove(group: Command, { host, end }: CommandContext): void {
  group
    .command('remove')
    .description('Forgets a server: it is not backed up any more. What is stored of it stays.')
    .argument('<server>', 'its name in “holdfast server list”')
    .option('--json', 'print one JSON document')
    .action(async (slug: string, options: JsonOption) => {
      await withService(host, async (service) => await service.call('server.remove', { slug }));
      if (options.json === true) await printJson(host, { slug, removed: true });
      else await printLine(host, `${printable(slug)} is forgotten. What is stored of it stays.`);
      end(exitCodes.done);
    });
}

function parsed(value: unknown): ServerSettings {
  const result = serverSchema.safeParse(value);
  if (result.success) return result.data;
  throw new Fault('config-invalid', firstIssue(result.error), { operation: 'read the options' });
}
