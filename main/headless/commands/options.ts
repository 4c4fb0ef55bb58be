import { stat } from 'node:fs/promises';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import type { RetentionPolicy, WholeRule } from '../../contract/reports.ts';
import type { Engine, OpenDestination } from '../../engine/engine.ts';
import { localClock } from '../../engine/retention/local-time.ts';
import { parseCount, ruleNames } from '../../engine/retention/policy.ts';
import { settingsAsText } from '../../compose/destination-url.ts';
import { isForbidden, isMissing } from '../../compose/errno.ts';
import { findDestination, readSecrets } from '../find-destination.ts';
import type { Bandwidth } from '../../compose/host.ts';
import type { CliHost } from '../host.ts';
import { realPlace } from '../../compose/real-place.ts';
import { keptPassword } from '../../compose/kept-password.ts';
import { readCredentials } from '../passwords.ts';
import type { PasswordOptions } from '../passwords.ts';
import { parseCount as parseNumber, parseRate } from '../units.ts';

export interface JsonOption {
  readonly json?: boolean;
}

export interface RateOptions {
  readonly limitUpload?: string;
  readonly limitDownload?: string;
}

export interface DestinationOptions extends PasswordOptions, RateOptions, JsonOption {
  readonly destination: string;
}

export interface ServerOption {
  readonly server?: string;
}

export interface KeepOptions {
  readonly keepLast?: string;
  readonly keepHourly?: string;
  readonly keepDaily?: string;
  readonly keepWeekly?: string;
  readonly keepMonthly?: string;
  readonly keepYearly?: string;
}

/** `-d DEST`, the ways to give the password, the rates and `--json`, as every command on a destination takes them. */
export function withDestination(command: Command): Command {
  command
    .optionsGroup('Destination and password:')
    .requiredOption(
      '-d, --destination <place>',
      'the backup place: its name, or an address such as folder:/mnt/backup or s3:bucket/prefix',
    );
  return withRates(withPassword(command)).optionsGroup('Output:').option('--json', 'print one JSON document');
}

export function withPassword(command: Command): Command {
  return command
    .option('--password-file <file>', 'read the password from a file (else HOLDFAST_PASSWORD, else a prompt)')
    .option('--recovery-key-file <file>', 'open with recovery keys instead of the password');
}

export function withRates(command: Command): Command {
  return command
    .option('--limit-upload <rate>', 'send at most this many bytes a second, such as 500K')
    .option('--limit-download <rate>', 'fetch at most this many bytes a second');
}

export function withServer(command: Command): Command {
  return command.option('--server <name>', 'the server; needed where the destination holds several', serverName);
}

/** Of `--server`. An empty text is a variable that was not set, and names no server. */
export function serverName(text: string): string {
  if (text === '') throw new InvalidArgumentError('It is empty, which is no name.');
  return text;
}

export function withKeepRules(command: Command): Command {
  command.optionsGroup('What to keep (without any rule everything; unlimited keeps all of a rule):');
  for (const rule of ruleNames) {
    const what = rule === 'last' ? 'the last n' : `the newest of each of the last n ${periods[rule]}`;
    command.addOption(new Option(`--keep-${rule} <n>`, what));
  }
  return command.option('--zone <iana>', 'time zone for hours, days and weeks (default: this computer’s)');
}

const periods = { hourly: 'hours', daily: 'days', weekly: 'weeks', monthly: 'months', yearly: 'years' } as const;

export function readKeepRules(options: KeepOptions): RetentionPolicy {
  const given = {
    last: options.keepLast,
    hourly: options.keepHourly,
    daily: options.keepDaily,
    weekly: options.keepWeekly,
    monthly: options.keepMonthly,
    yearly: options.keepYearly,
  };
  const policy: { -readonly [Rule in keyof RetentionPolicy]: number } = {};
  for (const rule of ruleNames) {
    const text = given[rule];
    if (text !== undefined) policy[rule] = parseCount(rule, text);
  }
  return policy;
}

/** The zone, or fault config-invalid for one that is not known: said before any password is asked for. */
export function checkedZone(zone: string): string {
  localClock(zone);
  return zone;
}

/** When a snapshot rests on no earlier one. */
export function parseWhole(text: string, option: string): WholeRule {
  return text === 'always' || text === 'never' ? text : parseNumber(text, option, { min: 1, max: 3650 });
}

/** For an option that may be given several times. */
export function append(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

export interface OpenedDestination {
  readonly engine: Engine;
  readonly destination: OpenDestination;
}

/**
 * Reads the destination and what opens it. `mayMakeVault`: this command makes the vault where there is none, so a prompt asks twice.
 */
export async function openDestination(host: CliHost, options: DestinationOptions, mayMakeVault = false): Promise<OpenedDestination> {
  const found = await findDestination(host, options.destination);
  const { settings } = found;
  const path = settings.provider === 'folder' ? settings.path : undefined;
  if (path !== undefined && !mayMakeVault) await refuseMissingFolder(path);
  const backend = await host.openBackend(found, await readSecrets(host, found), readRates(options));
  const engine = await host.openEngine();
  const newVault = async (): Promise<boolean> => mayMakeVault && !(await engine.hasVault(backend, { signal: host.signal }));
  const { name } = found;
  const kept = (): Promise<string | null> => (name === null ? Promise.resolve(null) : keptPassword(host, name));
  const credentials = await readCredentials(options, host, newVault, kept);
  const local = path === undefined ? {} : { localPath: await realPlace(path) };
  return { engine, destination: { backend, credentials, ...local, settings: settingsAsText(settings) } };
}

/** A mistyped folder is told before a password is asked for, and never as a destination without snapshots. */
async function refuseMissingFolder(path: string): Promise<void> {
  const operation = 'open the destination';
  const info = await stat(path).catch((error: unknown) => {
    const about = { operation, context: { path }, cause: error };
    if (isMissing(error)) throw new Fault('not-found', `The destination folder ${path} does not exist`, about);
    throw new Fault(isForbidden(error) ? 'permission-denied' : 'unexpected', `The destination folder ${path} cannot be opened`, about);
  });
  if (!info.isDirectory()) throw new Fault('config-invalid', `The destination ${path} is not a folder`, { operation, context: { path } });
}

export function readRates(rates: RateOptions): Bandwidth {
  return {
    ...(rates.limitUpload === undefined ? {} : { upload: parseRate(rates.limitUpload, '--limit-upload') }),
    ...(rates.limitDownload === undefined ? {} : { download: parseRate(rates.limitDownload, '--limit-download') }),
  };
}

/** The object without the members that are undefined: an absent option is absent in a request too. */
export function given<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}
