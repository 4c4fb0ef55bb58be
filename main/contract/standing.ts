import type { Words } from './app-words.ts';
import type { Job } from './jobs.ts';
import type { ServerState, ServerStatus } from './server-status.ts';

/** What servers come to when they are looked at together: one rule for tray and Home. */

/** Nothing gets better here without a person. */
export function needsYou({ state }: Pick<ServerStatus, 'state'>): boolean {
  return state === 'failed' || state === 'sign-in-needed' || state === 'overdue';
}

/** It was backed up, and will be again by itself: not one that rests until somebody resumes it or opens the keychain. */
export function isSafe(status: ServerStatus): boolean {
  return status.lastSuccess !== null && !needsYou(status) && !(status.state === 'paused' && restsForEver(status));
}

function restsForEver({ pausedUntil, last }: ServerStatus): boolean {
  return pausedUntil === 0 || last?.fault?.context['keychain'] !== undefined;
}

/** The place whose account must be signed in again: what failed for it names it, at once or in its fault. */
export function placeNamed({ settings, last }: ServerStatus): string | undefined {
  const named = last?.destination ?? last?.fault?.context['destination'];
  return settings.destinations.find((name) => name === named);
}

/** The icons of UI.md §6; the worst comes first, and wins. */
export const trayStates = ['failed', 'sign-in', 'late', 'running', 'paused', 'ok'] as const;
export type TrayState = (typeof trayStates)[number];

/** One that never ran rests, as one that is paused does. */
const shownAs: Readonly<Record<ServerState, TrayState>> = {
  ...{ failed: 'failed', 'sign-in-needed': 'sign-in', late: 'late', overdue: 'late', running: 'running', paused: 'paused' },
  ...{ new: 'paused', ok: 'ok' },
};

export function worstOf(servers: readonly ServerStatus[]): TrayState {
  return trayStates.find((state) => servers.some((server) => shownAs[server.state] === state)) ?? 'ok';
}

/** How they are, in words. `servers`: null until they are known. */
export function statusLine(servers: readonly ServerStatus[] | null, words: Words): string {
  if (servers === null) return words.starting;
  if (servers.length === 0) return words.none;
  const those = (state: ServerState): readonly ServerStatus[] => servers.filter((server) => server.state === state);
  const all = servers.length;
  const needing = servers.filter(needsYou).length;
  if (needing > 0) return words.needYou(needing, all);
  if (those('late').length > 0) return words.late(those('late').length, all);
  if (those('running').length > 0) return words.running(namesOf(those('running')));
  if (those('paused').length > 0) return words.paused(those('paused').length, all);
  return those('new').length > 0 ? words.fresh(those('new').length, all) : words.ok(all);
}

export function namesOf(servers: readonly ServerStatus[]): string {
  return servers.map(({ settings }) => settings.name).join(', ');
}

/** Also what was cut off: nobody got what was asked for. */
export function hasFailed({ state }: Pick<Job, 'state'>): boolean {
  return state === 'failed' || state === 'interrupted';
}
