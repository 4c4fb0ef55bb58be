import type { ServerStatus } from '../../../main/contract/server-status.ts';
import { timeLeft } from './restore-views.ts';
import { stagedNow } from './staged-restore.ts';
import { runningJob, stagedServers } from './staged-service.ts';
import type { View } from './views.ts';

const both = ['en', 'de'] as const;
const failedJob = {
  ...runningJob,
  id: 'j-failed',
  server: 'creative',
  state: 'failed' as const,
  progress: null,
  endedAt: stagedNow - 60_000,
  fault: { code: 'disk-full', persistence: 'permanent', operation: 'restore', message: 'ENOSPC: no space left', context: {} } as const,
};

/** What Creative's card may come to; with it stand the staged ones: signed out, overdue, running. */
const states: Readonly<Record<string, Partial<ServerStatus>>> = {
  new: { state: 'new', lastSuccess: null, lastProven: null, bytes: 0, storedBytes: 0 },
  ok: { state: 'ok' },
  late: { state: 'late', nextRun: stagedNow - 60_000 },
  failed: { state: 'failed', last: failedJob },
  'restore-failed': { state: 'failed', last: { ...failedJob, kind: 'restore', untouched: true } },
  'drill-failed': { state: 'failed', last: { ...failedJob, kind: 'drill', destination: 'tide-s3' } },
  paused: { state: 'paused', pausedUntil: stagedNow + 3_600_000 },
  'paused-open': { state: 'paused', pausedUntil: 0 },
  waiting: {
    state: 'running',
    running: { ...runningJob, server: 'creative' },
    waiting: [{ ...runningJob, id: 'j-next', kind: 'verify', state: 'waiting' }],
  },
};

function creative(): ServerStatus {
  const staged = stagedServers.find(({ settings }) => settings.slug === 'creative');
  if (staged === undefined) throw new Error('Creative is not staged');
  return staged;
}

function cardView([name, changes]: readonly [string, Partial<ServerStatus>]): View {
  return {
    ...{ name: `card-${name}`, path: '', languages: both },
    async ready(page, _, service) {
      await page.getByRole('article').nth(3).waitFor();
      const staged = creative();
      service.emit({ event: 'server', data: { ...staged, ...changes, settings: { ...staged.settings, name: 'Creative II' } } });
      await page.getByRole('heading', { name: 'Creative II' }).waitFor();
      const fold = page.getByRole('article', { name: 'Creative II' }).getByRole('button', { name: /^Creative II: / });
      if (await fold.isVisible()) await fold.click();
    },
  };
}

/** Each in its own state. */
export const cardViews: readonly View[] = Object.entries(states).map(cardView);

/** One card for each of the states, beside the staged ones: their names are of servers that people have. */
const named: Readonly<Record<string, string>> = {
  ...{ new: 'Matrix', late: 'Gitea', failed: 'Mail', 'restore-failed': 'Factorio', 'drill-failed': 'Skyblock' },
  ...{ paused: 'Lobby', 'paused-open': 'Jellyfin', waiting: 'Modpack' },
};

/** All that a card may come to, in one view. */
export const allCards: View = {
  ...{ name: 'cards', path: '', languages: both, whole: true },
  async ready(page, _, service) {
    await timeLeft(page).waitFor();
    const { settings, ...rest } = creative();
    for (const [state, name] of Object.entries(named)) {
      const slug = name.toLowerCase();
      const jobs = { running: states[state]?.running ?? null, last: states[state]?.last ?? null };
      service.emit({
        event: 'server',
        data: { ...rest, ...states[state], ...jobs, settings: { ...settings, name, slug, folder: `/srv/${slug}` } },
      });
    }
    await page
      .getByRole('article')
      .nth(3 + Object.keys(named).length)
      .waitFor();
    // In the narrow window calm cards are folded: they are shown as they stand there.
    await page.getByRole('article', { name: 'Jellyfin' }).waitFor();
  },
};
