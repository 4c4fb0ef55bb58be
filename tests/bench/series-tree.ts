import { appendFileSync, closeSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { noise, numbers, textPool } from './tree.ts';

/** A game server as it is after a long time. */
export interface SeriesPlan {
  readonly regions: number;
  readonly regionBytes: number;
  readonly logs: number;
  readonly logBytes: number;
  readonly smallFiles: number;
}

export const seriesPlans = {
  full: { regions: 100, regionBytes: 10_000_000, logs: 2, logBytes: 20_000_000, smallFiles: 10_000 },
  quick: { regions: 10, regionBytes: 10_000_000, logs: 1, logBytes: 10_000_000, smallFiles: 500 },
} as const satisfies Record<string, SeriesPlan>;

/** A sector of a region file, as Minecraft writes them. */
const sector = 4096;

/** A world of region files, logs and small files in `folder`, and what a server does to them between two backups: the same bytes on every machine. */
export class SeriesTree {
  readonly folder: string;
  readonly plan: SeriesPlan;
  readonly #chance = numbers('series');
  readonly #text = textPool(this.#chance);

  constructor(folder: string, plan: SeriesPlan) {
    this.folder = folder;
    this.plan = plan;
    for (const inside of ['region', 'logs', 'players']) mkdirSync(join(folder, inside), { recursive: true });
    for (let index = 0; index < plan.regions; index += 1) {
      const path = join(folder, 'region', `r.${String(index)}.mca`);
      // Half of it compressed by the game already, half of it free sectors and tables.
      writeFileSync(
        path,
        Buffer.concat([Buffer.alloc(plan.regionBytes / 4), noise(path, plan.regionBytes / 2), Buffer.alloc(plan.regionBytes / 4, 'tab ')]),
      );
    }
    for (let index = 0; index < plan.logs; index += 1)
      writeFileSync(join(folder, 'logs', `${String(index)}.log`), this.#words(plan.logBytes));
    for (let index = 0; index < plan.smallFiles; index += 1) this.#addSmall(`start-${String(index)}`);
  }

  /** Change number `step`: logs grow, in 2 % of the regions some sectors are written anew, files come and go. */
  change(step: number): void {
    const { regions, regionBytes, logs, smallFiles } = this.plan;
    for (let index = 0; index < logs; index += 1) appendFileSync(join(this.folder, 'logs', `${String(index)}.log`), this.#words(500_000));
    for (let index = 0; index < Math.ceil(regions / 50); index += 1) {
      const file = openSync(join(this.folder, 'region', `r.${String(this.#below(regions))}.mca`), 'r+');
      // A player is in one place: what is written lies together, but for the tables at the front.
      const at = this.#below(regionBytes / sector - 64) * sector;
      writeSync(file, noise(`table ${String(step)} ${String(index)}`, 2 * sector), 0, 2 * sector, 0);
      writeSync(file, noise(`chunks ${String(step)} ${String(index)}`, 64 * sector), 0, 64 * sector, at);
      closeSync(file);
    }
    const players = readdirSync(join(this.folder, 'players')).sort();
    for (let index = 0; index < smallFiles / 200; index += 1) {
      rmSync(join(this.folder, 'players', players[this.#below(players.length)] ?? ''), { force: true });
      this.#addSmall(`new-${String(step)}-${String(index)}`);
    }
  }

  #addSmall(name: string): void {
    writeFileSync(join(this.folder, 'players', `${name}.dat`), noise(name, 500 + this.#below(8000)));
  }

  #words(length: number): Buffer {
    const at = this.#below(this.#text.length - length);
    return this.#text.subarray(at, at + length);
  }

  #below(limit: number): number {
    return Math.floor(this.#chance() * limit);
  }
}
