import type { Command } from 'commander';
import type { FindReport, FoundVersion, SnapshotRun } from '../../contract/look-reports.ts';
import { exitCodeOfReport } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, painter, printJson, printLine, printWarnings, table } from '../output.ts';
import { printable } from '../printable.ts';
import { snapshotLine } from '../progress.ts';
import { formatTime } from '../times.ts';
import { count, formatSize, parseCount } from '../units.ts';
import { given, openDestination, withDestination, withServer } from './options.ts';
import type { DestinationOptions, ServerOption } from './options.ts';

interface Options extends DestinationOptions, ServerOption {
  readonly limit: string;
}

const defaultLimit = 10_000;

export function addFind(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('find')
    .summary('find files in all snapshots')
    .description(
      'Finds files and folders in all snapshots of a server, the newest first, and says in which of them each version lies. ' +
        'Only the lists of files are read.',
    )
    .argument('<pattern>', 'what to find, in gitignore syntax as for restore --include; quote it in a shell');
  withDestination(withLimit(withServer(command)))
    .addHelpText(
      'after',
      `
It finds what restore --include would bring back: a folder that matches stands for all that is in it.
Snapshots with the same content of a path are one version. A version is told as damaged where a verification
has found the data that holds it damaged, and as missing where that data is gone.

Examples:
  holdfast find '*.dat' -d folder:/mnt/backup --server survival
  holdfast find /world/playerdata -d folder:/mnt/backup --json`,
    )
    .action(async (pattern: string, options: Options) => {
      const limit = readLimit(options);
      const { engine, destination } = await openDestination(host, options);
      const progress = snapshotLine(host);
      const report = await engine
        .find(
          destination,
          { pattern, limit, ...given({ server: options.server }) },
          { signal: host.signal, onSnapshot: progress.onSnapshot },
        )
        .finally(progress.finish);
      await printWarnings(host, report.warnings);
      await (options.json === true ? printJson(host, toJson(report)) : printFound(host, report));
      end(exitCodeOfReport(report));
    });
}

export function addVersions(program: Command, { host, end }: CommandContext): void {
  const command = program
    .command('versions')
    .summary('list the versions of a file')
    .description(
      'Lists each different content that one path has had in the snapshots of a server, the newest first, with its checksum, and whether ' +
        'it can be brought back.',
    )
    .argument('<path>', 'the file, relative to the folder that was backed up');
  withDestination(withLimit(withServer(command)))
    .addHelpText(
      'after',
      `
To bring one back: holdfast restore SNAPSHOT --include /PATH --target FOLDER, with a snapshot of its line.

Example:
  holdfast versions world/level.dat -d folder:/mnt/backup --server survival`,
    )
    .action(async (path: string, options: Options) => {
      const limit = readLimit(options);
      const { engine, destination } = await openDestination(host, options);
      const progress = snapshotLine(host);
      const report = await engine
        .versions(
          destination,
          { path, limit, ...given({ server: options.server }) },
          { signal: host.signal, onSnapshot: progress.onSnapshot },
        )
        .finally(progress.finish);
      await printWarnings(host, report.warnings);
      await (options.json === true ? printJson(host, toJson(report)) : printVersions(host, report));
      end(exitCodeOfReport(report));
    });
}

function withLimit(command: Command): Command {
  return command.option('--limit <n>', 'tell of at most so many versions', String(defaultLimit));
}

function readLimit({ limit }: Options): number {
  return parseCount(limit, '--limit', { min: 1, max: 1_000_000 });
}

function toJson({ server, searched, versions, more, warnings }: FindReport): Readonly<Record<string, unknown>> {
  return {
    ...{ server, searched, more },
    versions: versions.map((version) => ({ ...version, restorable: version.state === 'whole' })),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** A path, and below it its versions. */
async function printFound(host: CliHost, report: FindReport): Promise<void> {
  const paint = painter(host.stdout, host.env);
  for (const [path, versions] of Map.groupBy(report.versions, (version) => version.path)) {
    await printLine(host, paint('bold', printable(path) + (versions[0]?.type === 'directory' ? '/' : '')));
    const rows = versions.map((version) => [
      version.type === 'file' ? formatSize(version.size) : version.type,
      printable(formatTime(version.mtime, host.zone)),
      runsText(version.snapshots),
      version.state === 'whole' ? '' : version.state,
    ]);
    const [, ...lines] = table([{ title: '', align: 'right' }, { title: '' }, { title: '' }, { title: '' }], rows);
    for (const line of lines) await printLine(host, `  ${line}`);
    if (host.stdout.closed) return;
  }
  await tellMore(host, report);
}

async function printVersions(host: CliHost, report: FindReport): Promise<void> {
  const [head = '', ...lines] = table(
    [
      { title: 'NEWEST SNAPSHOT' },
      { title: 'SNAPSHOTS', align: 'right' },
      { title: 'FILE TIME' },
      { title: 'SIZE', align: 'right' },
      { title: 'SHA-256' },
      { title: 'STATE' },
    ],
    report.versions.map((version) => toCells(version, host.zone)),
  );
  await printLine(host, painter(host.stdout, host.env)('bold', head));
  for (const line of lines) await printLine(host, line);
  await tellMore(host, report);
}

function toCells({ snapshots, mtime, type, size, sha256, target, state }: FoundVersion, zone: string): readonly string[] {
  return [
    printable(snapshots[0]?.newest ?? ''),
    snapshots.reduce((sum, { count: more }) => sum + more, 0).toLocaleString('en-US'),
    printable(formatTime(mtime, zone)),
    type === 'file' ? formatSize(size) : type,
    sha256 ?? (target === undefined ? '' : printable(`-> ${target}`)),
    state === 'whole' ? 'can be restored' : state,
  ];
}

/** `12 snapshots: 20261123T220500Z-k3v9qa to 20261101T030000Z-abcdef, 20261001T030000Z-ghijkl` */
function runsText(runs: readonly SnapshotRun[]): string {
  const total = runs.reduce((sum, run) => sum + run.count, 0);
  const parts = runs.map(({ newest, oldest }) => printable(newest === oldest ? newest : `${newest} to ${oldest}`));
  return `${count(total, 'snapshot')}: ${parts.join(', ')}`;
}

async function tellMore(host: CliHost, { more, versions }: FindReport): Promise<void> {
  if (more) await note(host, `There is more than these ${count(versions.length, 'version')}: narrow it, or raise --limit.`);
}
