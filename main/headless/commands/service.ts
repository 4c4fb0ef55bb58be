import { Argument } from 'commander';
import type { Command } from 'commander';
import { Fault } from '../../contract/faults.ts';
import { exitCodes } from '../exit-codes.ts';
import type { CliHost, CommandContext } from '../host.ts';
import { note, printJson, printLine, warn } from '../output.ts';
import { servicePlaces } from '../../compose/service/places.ts';
import type { JsonOption } from './options.ts';
import { withService } from './with-service.ts';

export function addService(program: Command, context: CommandContext): void {
  const { host, end } = context;
  const group = program
    .command('service')
    .summary('run the schedule in the background')
    .description('Runs the schedule of all servers, in the foreground until it is told to stop. systemd runs it once it is installed.')
    .addHelpText('after', '\nExample:\n  holdfast service install    # from then on it runs by itself')
    .action(async () => {
      // Loaded with everything it needs, which no other command should wait for.
      const { serve } = await import('../serve.ts');
      await serve(host);
      end(exitCodes.done);
    });
  addInstall(group, context);
  addUninstall(group, context);
  addStatus(group, context);
  addPauseOn(group, context);
}

interface InstallOptions extends JsonOption {
  readonly system?: boolean;
  readonly runAs?: string;
}

function addInstall(group: Command, { host, end }: CommandContext): void {
  group
    .command('install')
    .description('Makes systemd run the service from now on: for you, from the start of the computer, or (--system) for the whole system.')
    .option('--system', 'as a unit of the system, for servers that belong to other users; needs root')
    .option('--run-as <user>', 'with --system: the user that it runs as (default: root)')
    .option('--json', 'print one JSON document')
    .action(async (options: InstallOptions) => {
      if (options.runAs !== undefined && options.system !== true) {
        throw new Fault('config-invalid', '--run-as needs --system', { operation: 'install the service' });
      }
      const { installUnit } = await import('../systemd-unit.ts');
      const { path, lingers } = await installUnit({ env: host.env, system: options.system === true, runAs: options.runAs });
      if (!lingers) {
        await warn(host, 'It stops when you log out: as root, run “loginctl enable-linger USER” for this user');
      }
      const { keychain = 'sealed-file' } = await (await host.openSettings()).read();
      if (keychain !== 'machine-key') {
        await note(
          host,
          keychain === 'system'
            ? 'Next: the keyring must be unlocked when it starts; on a computer without a desktop, use another keychain (holdfast keychain --help).'
            : 'Next: give it the passphrase of the key file, or let this computer open it by itself (holdfast keychain --help).',
        );
      }
      if (options.json === true) await printJson(host, { installed: path });
      else await printLine(host, `The service runs, and starts with the computer: ${path}`);
      end(exitCodes.done);
    });
}

function addUninstall(group: Command, { host, end }: CommandContext): void {
  group
    .command('uninstall')
    .description('Stops the service and takes it away from systemd. Settings, secrets and everything stored stay.')
    .option('--system', 'the unit of the system')
    .option('--json', 'print one JSON document')
    .action(async (options: InstallOptions) => {
      const { removeUnit } = await import('../systemd-unit.ts');
      const path = await removeUnit({ env: host.env, system: options.system === true });
      if (options.json === true) await printJson(host, { removed: path });
      else await printLine(host, `Removed ${path}; settings, secrets and everything stored stay.`);
      end(exitCodes.done);
    });
}

function addStatus(group: Command, { host, end }: CommandContext): void {
  group
    .command('status')
    .description('Says whether the service runs, since when, and how it keeps secrets.')
    .option('--json', 'print one JSON document')
    .action(async (options: JsonOption) => {
      const { runningService } = await import('../../compose/service/connect.ts');
      const { callService } = await import('../../compose/service/http-client.ts');
      const { unitState } = await import('../systemd-unit.ts');
      const { heldElsewhere } = await import('../../compose/service/settings-lock.ts');
      const places = await servicePlaces();
      const running = await runningService(places);
      const other = running === null ? await heldElsewhere(places) : null;
      if (other !== null) throw other;
      const units = await unitState(host.env);
      const info = running === null ? null : await callService(running)('service.info', {}, host.signal);
      const servers = running === null ? [] : await callService(running)('servers.list', {}, host.signal);
      // A keychain that is locked now does not hide the rest.
      const notices = running === null ? [] : await callService(running)('notices.list', {}, host.signal).catch(() => []);
      const silent = notices.flatMap(({ target, problem }) => (problem === '' ? [] : [{ name: target.name, problem }]));
      if (options.json === true) {
        await printJson(host, {
          running: info !== null,
          ...(running === null || info === null ? {} : { pid: running.pid, port: running.port, ...info }),
          units,
          servers: servers.map(({ settings, state }) => ({ slug: settings.slug, state })),
          notices: silent,
        });
      } else if (running === null || info === null) {
        await printLine(host, 'The service does not run: nothing is backed up by itself.');
        await note(
          host,
          units.length === 0
            ? 'Next: holdfast service install'
            : `Next: see why with journalctl, or ask as the user that it runs as; units: ${units.join(', ')}`,
        );
      } else {
        await printLine(host, `The service runs as process ${running.pid} since ${new Date(info.startedAt).toISOString()}.`);
        await printLine(host, `Its page: holdfast open-page (127.0.0.1:${running.port})`);
        await printLine(
          host,
          `Secrets are kept ${info.keychain.says}${info.keychain.strong ? '' : ' (weak)'}${info.keychain.locked ? ' (locked now)' : ''}.`,
        );
        if (info.settingsProblem !== '') await warn(host, `The settings from before hold on: ${info.settingsProblem}`);
        if (info.stateProblem !== '') await warn(host, `What the service knows is gone when it ends: ${info.stateProblem}`);
        for (const { name, problem } of silent) await warn(host, `Notices do not arrive at ${name}: ${problem}`);
        await printLine(host, `Servers: ${servers.map(({ settings, state }) => `${settings.slug} ${state}`).join(', ') || 'none yet'}`);
      }
      end(info === null ? exitCodes.notFound : exitCodes.done);
    });
}

function addPauseOn(group: Command, { host, end }: CommandContext): void {
  group
    .command('pause-on')
    .description(
      'Shows or sets when nothing is started by itself, where the system tells: on battery, on a metered line. What was due is made up for.',
    )
    .addArgument(new Argument('[when...]', 'what it waits out').choices(['battery', 'metered', 'never']))
    .option('--json', 'print one JSON document')
    .action(async (when: readonly string[], options: JsonOption) => {
      const now = await withService(host, async (service) =>
        when.length === 0
          ? await service.call('pauseOn.get', {})
          : await service.call('pauseOn.set', { battery: when.includes('battery'), metered: when.includes('metered') }),
      );
      const words = [...(now.battery ? ['on battery'] : []), ...(now.metered ? ['on a metered line'] : [])];
      if (options.json === true) await printJson(host, now);
      else
        await printLine(
          host,
          words.length === 0 ? 'Backups wait for nothing.' : `Backups wait while this computer is ${words.join(' or ')}.`,
        );
      end(exitCodes.done);
    });
}

export function addOpenPage(program: Command, { host, end }: CommandContext): void {
  program
    .command('open-page')
    .summary('open the page of the service')
    .description('Makes a link that signs a browser in to the page of the running service. It is good once, for five minutes.')
    .option('--no-browser', 'only print it')
    .option('--json', 'print one JSON document')
    .action(async (options: JsonOption & { readonly browser: boolean }) => {
      const { runningService } = await import('../../compose/service/connect.ts');
      const { heldElsewhere } = await import('../../compose/service/settings-lock.ts');
      const places = await servicePlaces();
      const running = await runningService(places);
      if (running === null) {
        const other = await heldElsewhere(places);
        if (other !== null) throw other;
        throw new Fault('not-found', 'The service does not run', {
          operation: 'open page',
          context: { next: 'Start it: holdfast service install (or holdfast service, in the foreground).' },
        });
      }
      const { signInLink } = await import('../../compose/service/http-client.ts');
      const link = await signInLink(running);
      const tunnel = tunnelLine(host, running.port);
      if (options.json === true) await printJson(host, { link, ...(tunnel === null ? {} : { tunnel }) });
      else {
        if (tunnel !== null) {
          await note(host, 'You are here over SSH. On your own computer, first run:');
          await printLine(host, `  ${tunnel}`);
          await note(host, 'then open there:');
        } else if (options.browser && hasDesktop(host)) await open(host, link);
        await printLine(host, `  ${link}`);
      }
      end(exitCodes.done);
    });
}

function hasDesktop({ env }: CliHost): boolean {
  return (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '' || process.platform !== 'linux';
}

/** A link is good for five minutes, and so is the page that leads to it: this command ends before the browser has read it, and the service removes it then. */
const linkMs = 5 * 60_000;

async function open(host: CliHost, link: string): Promise<void> {
  const { folder } = await servicePlaces();
  const { sweepLinkPages } = await import('../../adapters/oauth/link-page.ts');
  const { openBrowser, openedNote } = await import('../../adapters/oauth/open-browser.ts');
  await sweepLinkPages(folder, host.now() - linkMs);
  if (await openBrowser(link, folder)) await note(host, openedNote);
}

/** Over SSH_CONNECTION (`client port server port`): the server's address as the client knows it. The ports are the same, or the link would be another host's. */
function tunnelLine(host: CliHost, port: number): string | null {
  const [, , address, sshPort] = (host.env['SSH_CONNECTION'] ?? '').split(' ');
  if (address === undefined || sshPort === undefined) return null;
  const user = host.env['USER'] ?? host.env['LOGNAME'] ?? '';
  const at = address.includes(':') ? `[${address}]` : address;
  return `ssh -N -L ${port}:127.0.0.1:${port} ${sshPort === '22' ? '' : `-p ${sshPort} `}${user === '' ? '' : `${user}@`}${at}`;
}
