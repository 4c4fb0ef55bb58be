import { z } from 'zod';

/**
 * Limits for all destinations together, in rclone's syntax: a rate (`10M`, bytes a second in powers of 1024; a bare number counts KiB), `up:down`, `off`,
 * or a timetable (`08:00,512K 19:00,10M:off 23:00,off`, each entry until the next, a weekday in front where wanted: `Sat-10:00,1M`).
 */
export const bandwidthSchema = z.looseObject({
  limit: z.string().max(1000).default('off'),
  /** What holds besides, while players are on a server that can be asked for them; the lower of both counts. */
  whilePlayers: z.string().max(100).default('off'),
});

export type BandwidthSettings = z.infer<typeof bandwidthSchema>;

/** When nothing is started by itself, where the system tells. What runs goes on. */
export const pauseOnSchema = z.looseObject({ battery: z.boolean().default(false), metered: z.boolean().default(false) });
