import type { ServerStatus } from '../../../main/contract/server-status.ts';
import { ago, date, moment } from '../../words/format.ts';
import { faultWords, isLocked } from '../../words/faults.ts';
import { t } from '../../words/language.svelte.ts';
import { placeToSignIn, providerNames, providerOf } from './places.ts';

export interface CardNote {
  readonly cause: string;
  readonly rest: string;
  readonly detail: string;
  /** The details are needed to understand it. */
  readonly open?: boolean;
}

/** What is wrong with a server, since when, and what comes next; null while nothing is. */
export function cardNote(status: ServerStatus, now: number): CardNote | null {
  const { state, last, lastSuccess, nextRun, pausedUntil } = status;
  const fault = last?.fault ?? null;
  const said = fault === null ? null : faultWords(fault);
  const detail = said?.detail ?? status.why;
  const nextTry = nextRun === null || nextRun <= now ? '' : t('note.nextTry', { when: moment(nextRun, now) });
  const failed = t(`note.failed.${last?.kind ?? 'backup'}`, { ago: ago(last?.endedAt ?? now, now) });
  switch (state) {
    case 'failed':
      return {
        cause: said?.says ?? failed,
        // Nothing restores by itself.
        rest: sentences(said === null ? '' : failed, said?.next ?? t('job.interruptedSays'), last?.kind === 'restore' ? '' : nextTry),
        ...{ detail, open: said?.vague === true },
      };
    case 'overdue':
      return {
        cause: lastSuccess === null ? t('note.overdueNever') : t('note.overdue', { since: date(lastSuccess, now) }),
        rest: sentences(said?.says ?? '', said?.next ?? '', nextTry),
        detail,
      };
    case 'sign-in-needed': {
      const place = placeToSignIn(status);
      const provider = place === undefined ? undefined : providerOf(place);
      return {
        cause: provider === undefined ? t('fault.sign-in-needed.says') : t('note.signIn', { provider: providerNames[provider] }),
        rest: sentences(lastSuccess === null ? '' : t('note.overdue', { since: date(lastSuccess, now) }), t('fault.sign-in-needed.next')),
        detail,
      };
    }
    case 'paused': {
      if (said !== null && waitsForKeychain(status)) return { cause: said.says, rest: said.next, detail };
      if (pausedUntil === null) return { cause: t('note.held'), rest: t('note.heldNext'), detail: status.why };
      const cause = pausedUntil === 0 ? t('note.pausedOpen') : t('note.paused', { until: moment(pausedUntil, now) });
      return { cause, rest: '', detail: '' };
    }
    case 'late':
      if (status.running !== null) return { cause: t('note.lateRunning'), rest: t('note.lateRunning.next'), detail: '' };
      // What waits says so itself.
      if (status.waiting.length > 0) return null;
      if (fault?.code === 'sign-in-needed') return { cause: t('note.lateSignedIn'), rest: nextTry, detail: '' };
      if (fault !== null && isLocked(fault)) return { cause: t('note.lateOpened'), rest: nextTry, detail: '' };
      return { cause: t('note.late'), rest: '', detail: status.why };
    case 'new':
      return { cause: nextRun === null ? t('note.newByHand') : t('note.new', { when: moment(nextRun, now) }), rest: '', detail: '' };
    case 'ok':
    case 'running':
      return null;
  }
}

/** Until somebody opens it. */
export function waitsForKeychain({ state, last }: ServerStatus): boolean {
  const fault = last?.fault ?? null;
  return state === 'paused' && fault !== null && isLocked(fault);
}

function sentences(...all: readonly string[]): string {
  return all.filter((text) => text !== '').join(' ');
}
