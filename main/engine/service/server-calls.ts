import type { CallHandlers } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { saying } from '../../contract/sayings.ts';
import { rconPasswordOf } from '../../contract/secret-names.ts';
import { serverSchema, type ServerSettings } from '../../contract/server-settings.ts';
import type { Settings } from '../../contract/settings.ts';
import { slugify } from '../../contract/slug.ts';
import { occurrencesOf } from '../schedule/occurrences.ts';
import { checkApart } from './apart.ts';
import { forgetOnceGoneOn, isResting, letGoOnBefore } from './at-rest.ts';
import { problemsOf } from './check-settings.ts';
import { keepUnknown } from './keep-unknown.ts';
import type { StateStore } from './ports.ts';
import type { Service } from './service.ts';
import type { SettingsHost } from './settings-ports.ts';

export type ServerCalls = Pick<CallHandlers, 'server.add' | 'server.edit' | 'server.remove'>;

const operation = 'keep server';

/** Servers in the settings: checked before they are kept, so that the schedule never meets what it cannot run. */
export function serverCalls(host: SettingsHost, service: Service, store: StateStore): ServerCalls {
  const { settings } = host;

  async function keepPassword(slug: string, password: string | undefined): Promise<void> {
    if (password === undefined) return;
    const name = rconPasswordOf(slug);
    // Another console than the one that was told to hold still may have the new one.
    await letGoOnBefore([name], { store, letGoOn: service.letGoOn, keychain: () => host.keychain() });
    await (await host.keychain()).set({ [name]: password });
  }

  return {
    'server.add': async ({ server, rconPassword, makeFolder }) => {
      refuseSecond(settings.current(), server);
      await check(host, server, makeFolder);
      // One of its name that was removed may still be at rest.
      if (isResting(store, server.slug)) await service.letGoOn(server.slug);
      await keepPassword(server.slug, rconPassword);
      await settings.update((all) => {
        refuseSecond(all, server);
        return { ...all, servers: [...all.servers, server] };
      });
      service.settingsChanged();
      return service.status(server.slug);
    },
    'server.edit': async ({ server, rconPassword, makeFolder }) => {
      await check(host, server, makeFolder);
      await keepPassword(server.slug, rconPassword);
      await settings.update((all) => {
        if (!all.servers.some(({ slug }) => slug === server.slug)) throw unknown(server.slug);
        return { ...all, servers: all.servers.map((one) => (one.slug === server.slug ? keepUnknown(serverSchema, one, server) : one)) };
      });
      service.settingsChanged();
      return service.status(server.slug);
    },
    'server.remove': async ({ slug }) => {
      const found = settings.current().servers.find((server) => server.slug === slug);
      if (found === undefined) throw unknown(slug);
      // First, as a locked keychain refuses it: then nothing has been removed. What is at rest needs its password to go on.
      if (usesRcon(found) && !isResting(store, slug)) await (await host.keychain()).set({ [rconPasswordOf(slug)]: null });
      await settings.update((all) => ({ ...all, servers: all.servers.filter((server) => server.slug !== slug) }));
      await forgetOnceGoneOn(store, slug);
      service.serverRemoved(slug);
      // At once, where no job is at it; one that ends now does so itself, and what does not work is tried again.
      await service.letGoOn(slug);
      return {};
    },
  };
}

function usesRcon({ quiesce }: ServerSettings): boolean {
  return quiesce.kind === 'minecraft' || quiesce.kind === 'rcon';
}

async function check(host: SettingsHost, server: ServerSettings, makeFolder: boolean): Promise<void> {
  checkSettings(host, server);
  const { destinations } = host.settings.current();
  const places = server.destinations.flatMap((name) => destinations[name]?.settings ?? []);
  await checkApart(host.realPlace, [server.folder], places);
  if (makeFolder) await host.makeFolder(server.folder);
  const found = await host.folderProblem(server.folder);
  if (found === null) return;
  const { key, args } = found.say;
  throw new Fault('config-invalid', found.problem, { operation, context: { ...args, say: key } });
}

/** All but the folder. */
function checkSettings({ settings }: SettingsHost, server: ServerSettings): void {
  if (server.slug !== slugify(server.name)) {
    throw invalid(`the slug of ${server.name} is ${slugify(server.name)}, not ${server.slug}`);
  }
  // Before its password is kept: the settings as a whole are checked when they are written.
  for (const { fault } of problemsOf({ ...settings.current(), servers: [server] })) throw fault;
  const { schedule, zone } = server;
  if (schedule.kind === 'cron' && occurrencesOf(schedule, zone).after(0) === null) throw never(schedule.expression);
}

/** One in a file that was edited by hand is used, and the server's state tells of it. */
function never(expression: string): Fault {
  return new Fault('config-invalid', `the time of ‘${expression}’ never comes`, {
    operation,
    context: { ...saying('cron-never', { expression }), next: 'Take a day that there is, or --manual for no schedule.' },
  });
}

function refuseSecond({ servers }: Settings, { slug, name }: ServerSettings): void {
  const other = servers.find((server) => server.slug === slug);
  if (other === undefined) return;
  throw new Fault('already-exists', `${name} would have the same name in backup places as ${other.name}: ${slug}`, {
    operation,
    context: {
      ...saying('server-taken', { name, other: other.name }),
      next: 'Choose another name, or change the one there is with “holdfast server edit”.',
    },
  });
}

function unknown(slug: string): Fault {
  return new Fault('not-found', `there is no server ${slug}`, {
    operation,
    context: { next: '“holdfast server list” shows those there are.' },
  });
}

function invalid(message: string): Fault {
  return new Fault('config-invalid', message, { operation });
}
