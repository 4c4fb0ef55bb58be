import { Fault } from '../../contract/faults.ts';
import type { RestoreRequest } from '../../contract/reports.ts';
import { pathFromBytes } from '../archive/byte-path.ts';
import { compileIncludes } from '../archive/exclude.ts';
import type { UnpackNeeds } from '../archive/unpacker.ts';
import type { EngineHost } from '../host.ts';
import { afterUndoing } from '../snapshots/after-undoing.ts';
import type { CommitOptions, Staging } from '../snapshots/restore-target.ts';
import { keepApart } from './places.ts';

interface StagingFor {
  /** Of the snapshot. */
  readonly id: string;
  readonly request: RestoreRequest;
  /** Where the destination is a folder of this machine. */
  readonly localPath: string | undefined;
}

/** The staging folder of one restore: made once it is known what will lie in it, and taken away where the restore fails. */
export class RestoreStaging {
  readonly #host: Pick<EngineHost, 'targets' | 'clock'>;
  readonly #for: StagingFor;
  #made: Staging | null = null;

  constructor(host: Pick<EngineHost, 'targets' | 'clock'>, what: StagingFor) {
    this.#host = host;
    this.#for = what;
  }

  async prepare({ diskBytes, diskEntries }: Pick<UnpackNeeds, 'diskBytes' | 'diskEntries'>): Promise<Staging> {
    const { id, request, localPath } = this.#for;
    this.#made = await this.#host.targets.prepare({
      target: request.target,
      id,
      replace: request.replace,
      force: request.force,
      bytesNeeded: diskBytes,
      entriesNeeded: diskEntries,
      partial: isPartial(request),
      time: this.#host.clock.now(),
    });
    // Only now it is known where the target really lies, behind links.
    keepApart(this.#made.target, localPath);
    return this.#made;
  }

  /** Once all lies in it. Fault unexpected where nothing was prepared. */
  get ready(): Staging {
    if (this.#made === null) throw new Fault('unexpected', 'nothing was staged', { operation: 'restore' });
    return this.#made;
  }

  /** What the restore ends with. */
  async failed(error: unknown): Promise<Fault> {
    return await afterUndoing(error, async () => await this.#made?.abort());
  }
}

export function isPartial({ include }: Pick<RestoreRequest, 'include'>): boolean {
  return include.length > 0;
}

/** Which staged folders take the place of the target's as a whole, where only parts are restored. */
export function exchangedBy(request: Pick<RestoreRequest, 'include'>): Pick<CommitOptions, 'exchange'> {
  if (!isPartial(request)) return {};
  const { includes } = compileIncludes(request.include);
  return { exchange: (path) => includes(pathFromBytes(path), true) };
}
