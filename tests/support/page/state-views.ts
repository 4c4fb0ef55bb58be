import type { Page } from 'playwright';
import type { EventData } from '../../../main/contract/events.ts';
import type { WireFault } from '../../../main/contract/faults.ts';
import { cardViews } from './card-views.ts';
import { askRestore, startRestore } from './restore-views.ts';
import { restoringJob, stagedNow } from './staged-restore.ts';
import { runningJob, stagedServers, type StagedService } from './staged-service.ts';
import type { View } from './views.ts';
import { sayIn, type Language, type Say } from './words.ts';
import { walkWizard } from './wizard-views.ts';

type CheckEvent = EventData<'destination-check'>;

const both = ['en', 'de'] as const;
const creative = 'snapshots/creative/tide-s3';
const fault: WireFault = {
  code: 'disk-full',
  persistence: 'permanent',
  operation: 'restore',
  message: 'ENOSPC: no space left',
  context: {},
};
async function more(page: Page, name: string, says: string): Promise<void> {
  const card = page.getByRole('article').filter({ hasText: name });
  await card.getByRole('button', { name: /More for|Mehr/ }).click();
  await page.getByRole('menuitem', { name: says, exact: true }).waitFor();
}

interface Stop {
  readonly name: string;
  readonly path: string;
  readonly at: (page: Page, say: Say, service: StagedService, language: Language) => Promise<unknown>;
}

const press = (page: Page, name: string): Promise<void> => page.getByRole('button', { name, exact: true }).first().click();

const stops: readonly Stop[] = [
  { name: 'no-page', path: 'nowhere', at: (page, say) => page.getByRole('heading', { name: say('nav.none') }).waitFor() },
  {
    ...{ name: 'menu', path: '' },
    async at(page, say) {
      await page.getByRole('article').nth(3).waitFor();
      await more(page, 'Nextcloud', say('do.removeServer'));
    },
  },
  {
    ...{ name: 'pin', path: creative },
    async at(page) {
      await page
        .getByRole('button', { name: /^Pin |anheften$/ })
        .first()
        .click();
      await page.getByRole('dialog').getByRole('textbox').waitFor();
    },
  },
  {
    ...{ name: 'discard', path: creative },
    async at(page, say) {
      await press(page, say('aside.discardAsk'));
      await page.getByRole('button', { name: say('aside.keep'), exact: true }).waitFor();
    },
  },
  {
    ...{ name: 'undo-refused', path: creative },
    async at(page, say) {
      await press(page, say('do.undo'));
      await page.getByRole('alert').waitFor();
    },
  },
  {
    ...{ name: 'restore-cancelled', path: '' },
    async at(page, say, service) {
      await startRestore(page, service);
      await press(page, say('way.cancel'));
      await page
        .getByRole('dialog')
        .getByRole('heading', { name: say('ended.cancelled') })
        .waitFor();
    },
  },
  {
    ...{ name: 'restore-broken', path: '' },
    async at(page, say, service) {
      await startRestore(page, service);
      service.emit({
        event: 'job',
        data: { ...restoringJob, state: 'failed', progress: null, endedAt: stagedNow, fault, untouched: true },
      });
      await page
        .getByRole('dialog')
        .getByRole('heading', { name: say('ended.failed', { name: 'Creative' }) })
        .waitFor();
    },
  },
  {
    ...{ name: 'restore-steps', path: '' },
    at: askRestore,
  },
  {
    ...{ name: 'activity-failed', path: 'activity' },
    async at(page, say) {
      await press(page, say('activity.failedOnly'));
      await page
        .getByRole('button', { name: /Survival/ })
        .first()
        .click();
      await page.getByText(say('fault.unavailable.next')).first().waitFor();
    },
  },
  {
    ...{ name: 'wizard-place-testing', path: 'new-server' },
    async at(page, say, service, language) {
      // The test ends only with the page.
      await page.route('**/api/call/destination.initialize', () => undefined);
      await walkWizard(page, language, 'wizard-place');
      await page.getByRole('radio', { name: say('place.provider.folder'), exact: true }).click();
      await page.getByLabel(say('place.path'), { exact: true }).fill('/mnt/attic');
      const asked = page.waitForRequest('**/api/call/destination.initialize');
      await press(page, say('test.do'));
      const { watch } = (await asked).postDataJSON() as { readonly watch: string };
      const tell = (name: string, found: CheckEvent['found'] = null): void =>
        service.emit({ event: 'destination-check', data: { watch, name, found } });
      for (const name of ['write', 'read', 'range']) {
        tell(name);
        tell(name, { name, ok: true, message: '100000 bytes came back as they were', next: '' });
      }
      tell('list', { name: 'list', ok: false, message: 'listing is refused', next: '', code: 'permission-denied' });
      tell('overwrite');
      await page
        .getByRole('listitem')
        .filter({ hasText: say('check.running').trim() })
        .waitFor();
    },
  },
  {
    ...{ name: 'sign-in-failed', path: 'new-server' },
    async at(page, say, service, language) {
      await walkWizard(page, language, 'wizard-sign-in');
      service.emit({ event: 'sign-in', data: { id: 'sign-in-1', state: 'failed', account: null, fault: { ...fault, code: 'timeout' } } });
      await page.getByRole('button', { name: say('do.tryAgain'), exact: true }).waitFor();
    },
  },
  {
    ...{ name: 'sign-in-done', path: 'new-server' },
    async at(page, say, service, language) {
      await walkWizard(page, language, 'wizard-sign-in');
      service.emit({
        event: 'sign-in',
        data: {
          id: 'sign-in-1',
          state: 'done',
          account: { name: 'person@example.org', usedBytes: 61.4e9, quotaBytes: 200e9 },
          fault: null,
        },
      });
      await page.getByText(say('signIn.doneAs', { name: 'person@example.org' })).waitFor();
    },
  },
  {
    ...{ name: 'place-sign-in', path: 'settings/place/google/sign-in' },
    async at(page, say) {
      await page.context().route('https://accounts.example/**', (route) => route.fulfill({ body: 'The provider’s page.' }));
      const opened = page.context().waitForEvent('page');
      await press(page, say('signIn.start', { provider: 'Google' }));
      await (await opened).close();
      await page.getByText(say('signIn.waiting', { provider: 'Google' })).waitFor();
    },
  },
  {
    ...{ name: 'place-forget', path: 'settings/place/attic-nas' },
    async at(page, say, service) {
      // Until it has loaded, what it is told is told anew.
      await page.getByText(say('places.usedBy', { servers: 'Home Assistant' })).waitFor();
      for (const { settings } of stagedServers) {
        if (settings.destinations.includes('attic-nas')) service.emit({ event: 'server-removed', data: { slug: settings.slug } });
      }
      await page.getByText(say('places.unused')).waitFor();
      await press(page, say('places.remove'));
      await page.getByRole('dialog').getByRole('heading').waitFor();
    },
  },
  {
    ...{ name: 'found-server-running', path: 'new-machine' },
    async at(page, say) {
      await page.getByRole('button', { name: /tide-s3/ }).click();
      const card = page.getByRole('article', { name: 'Lobby' });
      await card.getByLabel(say('machine.folder'), { exact: true }).fill('/srv/lobby');
      await card.getByRole('button', { name: say('machine.bring') }).click();
      await card.getByRole('progressbar').waitFor();
    },
  },
  {
    ...{ name: 'snapshots-running', path: creative },
    async at(page, say, service) {
      await page.getByRole('list').getByRole('link').nth(9).waitFor();
      const staged = stagedServers.find(({ settings }) => settings.slug === 'creative');
      if (staged === undefined) throw new Error('Creative is not staged');
      const running = { ...runningJob, server: 'creative' };
      service.emit({ event: 'server', data: { ...staged, state: 'running', running } });
      await page
        .getByRole('region', { name: say('state.running.backup') })
        .getByRole('progressbar')
        .waitFor();
    },
  },
  {
    ...{ name: 'kit', path: 'settings/place/tide-s3' },
    async at(page, say) {
      await page
        .getByRole('checkbox', { name: say('kit.recoveryKey') })
        .first()
        .press(' ');
    },
  },
];

const emptyStops: readonly Stop[] = [
  {
    name: 'activity-empty',
    path: 'activity',
    at: (page, say) => page.getByRole('heading', { name: say('activity.empty.title') }).waitFor(),
  },
  { name: 'snapshots-empty', path: 'snapshots', at: (page) => page.getByRole('heading').nth(1).waitFor() },
  { name: 'settings-empty', path: 'settings', at: (page) => page.getByRole('heading', { level: 2 }).nth(5).waitFor() },
];

function stopView({ name, path, at }: Stop): View {
  return { ...{ name, path, languages: both }, ready: (page, language, service) => at(page, sayIn(language), service, language) };
}

/** States of views, and what opens from them, of which no pictures are kept: they are looked at by the checks alone. */
export const stateViews: readonly View[] = [
  ...cardViews,
  ...stops.map(stopView),
  ...emptyStops.map((stop) => ({ ...stopView(stop), empty: true })),
];
