import { z } from 'zod';

/** `HH:MM`, 24 hours, by the clock of the schedule's zone. */
export const timeOfDaySchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);

export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** When a server is backed up. `every`: that many hours apart, counted from midnight; `cron`: five fields, as crontab(5) has them. */
export const scheduleSchema = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('manual') }),
  z.looseObject({ kind: z.literal('every'), hours: z.number().int().min(1).max(24), minute: z.number().int().min(0).max(59).default(0) }),
  z.looseObject({ kind: z.literal('daily'), at: z.array(timeOfDaySchema).min(1).max(24) }),
  z.looseObject({ kind: z.literal('weekly'), on: z.array(z.enum(weekdays)).min(1).max(7), at: timeOfDaySchema }),
  z.looseObject({ kind: z.literal('cron'), expression: z.string().min(9).max(200) }),
]);

export type ScheduleSettings = z.infer<typeof scheduleSchema>;
