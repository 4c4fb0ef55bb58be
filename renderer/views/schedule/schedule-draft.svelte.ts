import type { KeepSettings } from '../../../main/contract/server-settings.ts';
import type { ScheduleSettings } from '../../../main/contract/schedule-settings.ts';
import { isTime } from '../../design/time-of-day.ts';
import type { Key } from '../../words/language.svelte.ts';

export const rhythms = ['hourly', 'every', 'daily', 'weekly', 'cron'] as const;
export type Rhythm = (typeof rhythms)[number] | 'manual';

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

/** When a server is backed up, as a person chooses it; what the other rhythms would need is kept. */
export class ScheduleDraft {
  rhythm = $state<Rhythm>('every');
  hours = $state('4');
  at = $state('03:30');
  on = $state<Weekday>('sun');
  cron = $state('30 3 * * *');
  #taken: { readonly as: string; readonly settings: ScheduleSettings } | null = null;

  get problem(): Key | null {
    const hours = Number(this.hours);
    switch (this.rhythm) {
      case 'every':
        return Number.isInteger(hours) && hours >= 1 && hours <= 24 ? null : 'schedule.error.hours';
      case 'daily':
      case 'weekly':
        return isTime(this.at) ? null : 'schedule.error.time';
      case 'cron':
        return this.cron.trim().split(/\s+/).length === 5 ? null : 'schedule.error.cron';
      case 'hourly':
      case 'manual':
        return null;
    }
  }

  settings(): ScheduleSettings {
    // What this form cannot show, such as several times a day, stays as long as nobody touches it.
    if (this.#taken !== null && this.#taken.as === this.kept()) return this.#taken.settings;
    switch (this.rhythm) {
      case 'hourly':
        return { kind: 'every', hours: 1, minute: 0 };
      case 'every':
        return { kind: 'every', hours: Number(this.hours), minute: 0 };
      case 'daily':
        return { kind: 'daily', at: [this.at] };
      case 'weekly':
        return { kind: 'weekly', on: [this.on], at: this.at };
      case 'cron':
        return { kind: 'cron', expression: this.cron.trim() };
      case 'manual':
        return { kind: 'manual' };
    }
  }

  /** Shows a schedule that there is, as far as it can be shown. */
  take(settings: ScheduleSettings): void {
    this.rhythm = settings.kind === 'every' && settings.hours === 1 ? 'hourly' : settings.kind;
    if (settings.kind === 'every') this.hours = String(settings.hours);
    if (settings.kind === 'daily') this.at = settings.at[0] ?? this.at;
    if (settings.kind === 'weekly') {
      this.at = settings.at;
      this.on = settings.on[0] ?? this.on;
    }
    if (settings.kind === 'cron') this.cron = settings.expression;
    this.#taken = { as: this.kept(), settings };
  }

  kept(): string {
    const { rhythm, hours, at, on, cron } = this;
    return JSON.stringify({ rhythm, hours, at, on, cron });
  }

  bringBack(kept: string): void {
    Object.assign(this, JSON.parse(kept));
  }
}

export const tiers = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
export type Tier = (typeof tiers)[number];

export const defaultKeep: Readonly<Record<Tier, string>> = { last: '3', hourly: '', daily: '7', weekly: '4', monthly: '6', yearly: '' };

/** Rules that there are, as text; one without an end stays out of the form, and `keepOf` keeps it. */
export function typedKeep(keep: KeepSettings): Record<Tier, string> {
  const text = (tier: Tier): string => (typeof keep[tier] === 'number' && keep[tier] > 0 ? String(keep[tier]) : '');
  return {
    last: text('last'),
    hourly: text('hourly'),
    daily: text('daily'),
    weekly: text('weekly'),
    monthly: text('monthly'),
    yearly: text('yearly'),
  };
}

export function isCount(text: string): boolean {
  return /^\d{0,6}$/.test(text.trim());
}

/** As the contract has it; what is empty is no rule. */
export function keepOf(typed: Readonly<Record<Tier, string>>, before: KeepSettings = {}): KeepSettings {
  const all = tiers.map((tier) => [tier, Number(typed[tier].trim())] as const);
  const endless = tiers.filter((tier) => before[tier] === 'unlimited' && typed[tier].trim() === '');
  return {
    ...Object.fromEntries(all.filter(([, count]) => count > 0)),
    ...Object.fromEntries(endless.map((tier) => [tier, 'unlimited'])),
  };
}
