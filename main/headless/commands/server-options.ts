import type { Command } from 'commander';
import { Option } from 'commander';
import { Fault } from '../../contract/faults.ts';
import type { ScheduleSettings } from '../../contract/schedule-settings.ts';
import type { HookCommand, HookSettings, KeepSettings, QuiesceSettings, ServerSettings } from '../../contract/server-settings.ts';
import { presets } from '../../engine/presets.ts';
import { parseCount as parseKeep, ruleNames } from '../../engine/retention/policy.ts';
import type { CliHost } from '../host.ts';
import { readRconPassword } from '../passwords.ts';
import { rconInProperties } from '../../compose/server-properties.ts';
import { parseCount } from '../units.ts';
import { append, checkedZone, parseWhole, withKeepRules, type KeepOptions } from './options.ts';

export interface ServerOptions extends KeepOptions {
  readonly to?: readonly string[];
  readonly preset?: string;
  readonly exclude?: readonly string[];
  readonly level?: string;
  readonly whole?: string;
  readonly ignoreInode?: boolean;
  readonly every?: string;
  readonly daily?: readonly string[];
  readonly weekly?: readonly string[];
  readonly cron?: string;
  readonly manual?: boolean;
  readonly zone?: string;
  readonly minecraft?: string | true;
  readonly warnPlayers?: string;
  readonly systemdUnit?: string;
  readonly systemdUserUnit?: string;
  readonly docker?: string;
  readonly rcon?: string;
  readonly rconPause?: readonly string[];
  readonly rconResume?: readonly string[];
  readonly rconPasswordFile?: string;
  readonly quiesce?: boolean;
  readonly verify?: ServerSettings['verify'];
  readonly drill?: ServerSettings['drill'];
  readonly hookBefore?: readonly string[];
  readonly hookAfterSuccess?: readonly string[];
  readonly hookAfterFailure?: readonly string[];
  readonly hookAlways?: readonly string[];
  readonly hookTimeout?: string;
  /** False: none. */
  readonly hooks?: boolean;
}

export function withServerOptions(command: Command): Command {
  command
    .optionsGroup('What and where:')
    .option('--to <place>', 'the name of a backup place; may be given several times', append)
    .addOption(new Option('--preset <name>', 'leave out what this kind of server can do without').choices(Object.keys(presets)))
    .option('--exclude <pattern>', 'leave out what matches, in gitignore syntax; may be given several times', append)
    .option('--level <n>', 'zstd level, 1 to 19')
    .option('--whole <days>', 'days after which a snapshot rests on no earlier one again, “always” or “never” (default: 30)')
    .option('--ignore-inode', 'do not go by inode numbers, which some network file systems make up')
    .option('--no-ignore-inode', 'go by them again')
    .optionsGroup('When (one of them):')
    .option('--every <hours>', 'that many hours apart, counted from midnight')
    .option('--daily <time>', 'each day at HH:MM; may be given several times', append)
    .option('--weekly <day-time>', 'such as sun-03:30; several of the same time may be given', append)
    .option('--cron <expression>', 'five fields, as crontab has them')
    .option('--manual', 'no schedule')
    .optionsGroup('Bring it to rest while it is read (one of them):')
    .option('--minecraft [host:port]', 'Minecraft, Java edition, over RCON (default: as server.properties in the folder says)')
    .option('--warn-players <seconds>', 'with --minecraft: say so in the game before')
    .option('--systemd-unit <unit>', 'stop and start this unit of systemd')
    .option('--systemd-user-unit <unit>', 'the same, a unit of this user')
    .option('--docker <container>', 'stop and start this container')
    .option('--rcon <host:port>', 'any RCON console, with --rcon-pause and --rcon-resume')
    .option(
      '--rcon-pause <command>',
      'sent before the folder is read; “command => text” waits for the text; may be given several times',
      append,
    )
    .option('--rcon-resume <command>', 'sent afterwards', append)
    .option('--rcon-password-file <file>', 'read the RCON password from a file (else HOLDFAST_RCON_PASSWORD, else a prompt)')
    .option('--no-quiesce', 'read it while it runs')
    .optionsGroup('Looking after it:')
    .addOption(new Option('--verify <how-often>', 'read one snapshot back as a whole').choices(['weekly', 'monthly', 'never']))
    .addOption(new Option('--drill <how-often>', 'restore the newest for trial').choices(['weekly', 'monthly', 'never']))
    .optionsGroup('Commands around a backup (a program, or a JSON list of program and arguments; no shell reads it):')
    .option('--hook-before <command>', 'before it; when it fails, there is no backup', append)
    .option('--hook-after-success <command>', 'after one that ended well', append)
    .option('--hook-after-failure <command>', 'after one that failed', append)
    .option('--hook-always <command>', 'after every one', append)
    .option('--hook-timeout <seconds>', 'for each of them (default: 60); alone, for those that there are')
    .option('--no-hooks', 'none of them any more');
  return withKeepRules(command).optionsGroup('Other:');
}

export interface ReadServer {
  readonly settings: Partial<ServerSettings>;
  readonly rconPassword?: string;
}

/** What the options say of a server; what they do not say is absent. `before`: the hooks that it has. */
export async function readServerOptions(
  host: CliHost,
  options: ServerOptions,
  folder: string,
  before: HookSettings = noHooks,
): Promise<ReadServer> {
  const { quiesce, rconPassword } = await readQuiesce(host, options, folder);
  const schedule = readSchedule(options);
  const keep = readKeep(options);
  const hooks = readHooks(options, before);
  const settings = {
    destinations: options.to === undefined ? undefined : [...options.to],
    preset: options.preset,
    excludes: options.exclude === undefined ? undefined : [...options.exclude],
    level: options.level === undefined ? undefined : parseCount(options.level, '--level', { min: 1, max: 19 }),
    whole: options.whole === undefined ? undefined : parseWhole(options.whole, '--whole'),
    ignoreInode: options.ignoreInode,
    zone: options.zone === undefined ? undefined : checkedZone(options.zone),
    ...{ schedule, keep, hooks, quiesce, verify: options.verify, drill: options.drill },
  };
  return {
    settings: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
    ...(rconPassword === undefined ? {} : { rconPassword }),
  };
}

function readSchedule({ every, daily, weekly, cron, manual }: ServerOptions): ScheduleSettings | undefined {
  if ([every, daily, weekly, cron, manual].filter((one) => one !== undefined).length > 1) {
    throw usage('Give one of --every, --daily, --weekly, --cron and --manual');
  }
  if (manual === true) return { kind: 'manual' };
  if (every !== undefined) return { kind: 'every', hours: parseCount(every, '--every', { min: 1, max: 24 }), minute: 0 };
  if (daily !== undefined) return { kind: 'daily', at: [...daily] };
  if (cron !== undefined) return { kind: 'cron', expression: cron };
  if (weekly === undefined) return undefined;
  const parts = weekly.map((text) => /^([a-z]{3})[a-z]*[- ](\d\d:\d\d)$/i.exec(text));
  const [first] = parts;
  const at = first?.[2];
  if (at === undefined || parts.some((part) => part?.[2] !== at))
    throw usage('--weekly takes a day and a time, such as sun-03:30, and one time only');
  const on = parts.map((part) => (part?.[1] ?? '').toLowerCase());
  return { kind: 'weekly', on, at } as ScheduleSettings;
}

function readKeep(options: KeepOptions): KeepSettings | undefined {
  const given = {
    ...{ last: options.keepLast, hourly: options.keepHourly, daily: options.keepDaily },
    ...{ weekly: options.keepWeekly, monthly: options.keepMonthly, yearly: options.keepYearly },
  };
  const rules = ruleNames.flatMap((rule) => {
    const text = given[rule];
    if (text === undefined) return [];
    const count = parseKeep(rule, text);
    return [[rule, count < 0 ? 'unlimited' : Math.min(count, 1_000_000)] as const];
  });
  return rules.length === 0 ? undefined : Object.fromEntries(rules);
}

const noHooks: HookSettings = { before: [], afterSuccess: [], afterFailure: [], always: [] };

function readHooks(options: ServerOptions, there: HookSettings): HookSettings | undefined {
  const { hookBefore, hookAfterSuccess, hookAfterFailure, hookAlways, hookTimeout } = options;
  const given = [hookBefore, hookAfterSuccess, hookAfterFailure, hookAlways].some((hook) => hook !== undefined);
  if (options.hooks === false) {
    if (given || hookTimeout !== undefined) throw usage('Give either --no-hooks or hooks');
    return noHooks;
  }
  const timeout = hookTimeout === undefined ? undefined : parseCount(hookTimeout, '--hook-timeout', { min: 1, max: 86_400 });
  if (given) {
    const commands = (texts: readonly string[] = []): HookCommand[] =>
      texts.map((text) => ({ argv: argvOf(text), timeoutSeconds: timeout ?? 60 }));
    return {
      before: commands(hookBefore),
      afterSuccess: commands(hookAfterSuccess),
      afterFailure: commands(hookAfterFailure),
      always: commands(hookAlways),
    };
  }
  if (timeout === undefined) return undefined;
  const { before, afterSuccess, afterFailure, always } = there;
  if ([before, afterSuccess, afterFailure, always].every((hooks) => hooks.length === 0)) {
    throw usage('--hook-timeout is for hooks, and there are none: give them with --hook-before and its like');
  }
  const within = (hooks: readonly HookCommand[]): HookCommand[] => hooks.map((hook) => ({ ...hook, timeoutSeconds: timeout }));
  return { before: within(before), afterSuccess: within(afterSuccess), afterFailure: within(afterFailure), always: within(always) };
}

function argvOf(text: string): string[] {
  if (!text.startsWith('[')) return [text];
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string')) return value;
  } catch (error) {
    throw usage(`${text} is no JSON list`, error);
  }
  throw usage(`${text} is no list of texts`);
}

async function readQuiesce(
  host: CliHost,
  options: ServerOptions,
  folder: string,
): Promise<{ readonly quiesce?: QuiesceSettings; readonly rconPassword?: string }> {
  const { minecraft, systemdUnit, systemdUserUnit, docker, rcon } = options;
  const given = [minecraft, systemdUnit, systemdUserUnit, docker, rcon].filter((one) => one !== undefined);
  if (given.length > 1 || (given.length === 1 && options.quiesce === false)) {
    throw usage('Give one of --minecraft, --systemd-unit, --systemd-user-unit, --docker, --rcon and --no-quiesce');
  }
  if (options.quiesce === false) return { quiesce: { kind: 'none' } };
  if (systemdUnit !== undefined) return { quiesce: { kind: 'systemd', unit: systemdUnit, user: false } };
  if (systemdUserUnit !== undefined) return { quiesce: { kind: 'systemd', unit: systemdUserUnit, user: true } };
  if (docker !== undefined) return { quiesce: { kind: 'docker', container: docker } };
  if (rcon !== undefined) {
    const steps = (texts: readonly string[] = []): { command: string; waitFor: string }[] =>
      texts.map((text) => {
        const [command = '', waitFor = ''] = text.split(' => ');
        return { command, waitFor };
      });
    const pause = steps(options.rconPause);
    const resume = steps(options.rconResume);
    if (pause.length === 0 || resume.length === 0) throw usage('--rcon needs --rcon-pause and --rcon-resume');
    return {
      quiesce: { kind: 'rcon', rcon: placeOf(rcon, '--rcon'), pause, resume },
      rconPassword: await readRconPassword(host, options.rconPasswordFile),
    };
  }
  if (minecraft === undefined) return {};
  const warnPlayersSeconds =
    options.warnPlayers === undefined ? 0 : parseCount(options.warnPlayers, '--warn-players', { min: 0, max: 600 });
  if (minecraft !== true) {
    const password = await readRconPassword(host, options.rconPasswordFile);
    return { quiesce: { kind: 'minecraft', rcon: placeOf(minecraft, '--minecraft'), warnPlayersSeconds }, rconPassword: password };
  }
  const found = await rconInProperties(folder);
  return {
    quiesce: { kind: 'minecraft', rcon: { host: '127.0.0.1', port: found.port, timeoutSeconds: 30 }, warnPlayersSeconds },
    rconPassword: found.password,
  };
}

function placeOf(text: string, option: string): { host: string; port: number; timeoutSeconds: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) throw usage(`${option} takes host:port, such as 127.0.0.1:25575`);
  return { host: match[1] ?? match[2] ?? '', port: parseCount(match[3] ?? '', option, { min: 1, max: 65_535 }), timeoutSeconds: 30 };
}

function usage(message: string, cause?: unknown): Fault {
  return new Fault('config-invalid', message, { operation: 'read the options', ...(cause === undefined ? {} : { cause }) });
}
