import { bandwidthSchema, pauseOnSchema } from '../../contract/bandwidth-settings.ts';
import type { CallHandlers } from '../../contract/calls.ts';
import { Fault } from '../../contract/faults.ts';
import { noticeSecrets, noticeTargetSchema, type Notice, type NoticeTarget } from '../../contract/notices.ts';
import { saying } from '../../contract/sayings.ts';
import { noticeSecret } from '../../contract/secret-names.ts';
import type { Clock } from '../ports.ts';
import { keepUnknown } from './keep-unknown.ts';
import { secretsOfNotice, unlessLocked, withNoticeSecrets } from './kept-secrets.ts';
import type { Notifier } from './notifier.ts';
import type { Secrets, SettingsHost } from './settings-ports.ts';

export type NoticeCalls = Pick<
  CallHandlers,
  | 'notices.list'
  | 'notice.set'
  | 'notice.remove'
  | 'notice.test'
  | 'notice.try'
  | 'bandwidth.get'
  | 'bandwidth.set'
  | 'pauseOn.get'
  | 'pauseOn.set'
>;

/** Where notices go, and how fast data may. */
export function noticeCalls(host: SettingsHost, clock: Clock, notifier: Pick<Notifier, 'problemOf' | 'forgetProblem'>): NoticeCalls {
  const { settings } = host;

  function known(name: string): NoticeTarget {
    const target = settings.current().notices.find((one) => one.name === name);
    if (target !== undefined) return target;
    throw new Fault('not-found', `there is no notice called ${name}`, { operation: 'find notice' });
  }

  const kept = (target: NoticeTarget): Promise<Secrets> => secretsOfNotice(() => host.keychain(), target);

  /** All that it needs to be told by, what is kept of it included. Faults: config-invalid, already-exists. */
  async function whole(target: NoticeTarget, secrets: Secrets, isNew: boolean): Promise<Secrets> {
    const before = settings.current().notices.find((one) => one.name === target.name);
    if (isNew && before !== undefined) throw taken(before);
    const names: readonly string[] = noticeSecrets[target.kind].map(({ name }) => name);
    const stranger = Object.keys(secrets).find((name) => !names.includes(name));
    if (stranger !== undefined)
      throw new Fault('config-invalid', `a ${target.kind} notice has no secret ${stranger}`, { operation: 'keep notice' });
    const there = { ...(before?.kind === target.kind ? await kept(before) : {}), ...secrets };
    for (const { name, says, optional } of noticeSecrets[target.kind]) {
      if (!optional && there[name] === undefined) {
        throw new Fault('config-invalid', `${says} is missing`, {
          operation: 'keep notice',
          context: saying('notice-secret-missing', {}),
        });
      }
      if (name === 'url' && there[name] !== undefined) checkAddress(there[name], says);
    }
    return there;
  }

  function trial(): Notice {
    return {
      ...{ kind: 'test', server: '', title: 'Holdfast: this is a test', text: 'Notices arrive here.', next: '' },
      ...{ at: clock.now(), repeats: 0 },
    };
  }

  return {
    'notices.list': async () =>
      await Promise.all(
        settings.current().notices.map(async (target) => ({
          ...{ target, problem: notifier.problemOf(target.name) },
          secrets: Object.keys(await unlessLocked(() => kept(target), {})),
        })),
      ),
    'notice.set': async ({ target, secrets, isNew }) => {
      await whole(target, secrets, isNew);
      if (Object.keys(secrets).length > 0) {
        const all = Object.entries(secrets).map(([name, value]) => [noticeSecret(target.name, name), value] as const);
        await (await host.keychain()).set(Object.fromEntries(all));
      }
      await settings.update((all) => {
        const before = all.notices.find(({ name }) => name === target.name);
        const others = all.notices.filter(({ name }) => name !== target.name);
        return { ...all, notices: [...others, keepUnknown(noticeTargetSchema, before, target)] };
      });
      notifier.forgetProblem(target.name);
      return {};
    },
    'notice.remove': async ({ name }) => {
      const target = known(name);
      await settings.update((all) => ({ ...all, notices: all.notices.filter((one) => one.name !== name) }));
      notifier.forgetProblem(name);
      const gone = noticeSecrets[target.kind].map((secret) => [noticeSecret(name, secret.name), null] as const);
      if (gone.length > 0) await (await host.keychain()).set(Object.fromEntries(gone));
      return {};
    },
    'notice.test': async ({ name }, signal) => {
      const target = known(name);
      await withNoticeSecrets(
        () => host.keychain(),
        target,
        (secrets) => host.deliver(target, secrets, trial(), signal),
      );
      notifier.forgetProblem(name);
      return {};
    },
    'notice.try': async ({ target, secrets, isNew }, signal) => {
      await host.deliver(target, await whole(target, secrets, isNew), trial(), signal);
      return {};
    },
    'pauseOn.get': async () => settings.current().pauseOn,
    'pauseOn.set': async (pauseOn) =>
      (await settings.update((all) => ({ ...all, pauseOn: keepUnknown(pauseOnSchema, all.pauseOn, pauseOn) }))).pauseOn,
    'bandwidth.get': async () => settings.current().bandwidth,
    'bandwidth.set': async (bandwidth) =>
      (await settings.update((all) => ({ ...all, bandwidth: keepUnknown(bandwidthSchema, all.bandwidth, bandwidth) }))).bandwidth,
  };
}

function taken({ name, kind }: NoticeTarget): Fault {
  return new Fault('already-exists', `there is a notice called ${name} already (${kind})`, {
    operation: 'keep notice',
    context: { next: 'Give this one another name, or change the one that is there.' },
  });
}

function checkAddress(text: string, says: string): void {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === 'https:' || url.protocol === 'http:')) return;
  throw new Fault('config-invalid', `${says} is no web address`, { operation: 'keep notice', context: saying('notice-address-wrong', {}) });
}
