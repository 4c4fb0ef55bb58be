import { asFault, Fault } from '../../../contract/faults.ts';
import type { OlderLists, Spool } from '../../../engine/archive/packer.ts';
import type { FileSpool } from '../../files/spool.ts';
import type { Monitor } from '../monitor.ts';
import type { OlderTask } from './messages.ts';
import { createOlderAnswer, writeOlderAnswer, type OlderAnswer } from './older-answer.ts';

/** Gets the older lists that the reader asks for. A list is there until the next is asked for. */
export class OlderFetcher {
  readonly task: OlderTask;
  readonly #lists: OlderLists;
  readonly #monitor: Monitor;
  readonly #end = new AbortController();
  #pending: Promise<void> = Promise.resolve();
  #spool: Spool | null = null;
  #failure: Fault | null = null;

  constructor(lists: OlderLists, monitor: Monitor) {
    this.#lists = lists;
    this.#monitor = monitor;
    this.task = { lists: lists.lists, answer: createOlderAnswer() };
  }

  /** Why the run was stopped from here; null: it was not. */
  get failure(): Fault | null {
    return this.#failure;
  }

  ask(index: number): void {
    this.#pending = this.#get(index).then(
      (answer) => {
        writeOlderAnswer(this.task.answer, answer);
        this.#monitor.changed();
      },
      (error: unknown) => {
        this.#failure = asFault(error, 'fetch an older manifest');
        this.#monitor.stop();
      },
    );
  }

  /** What is under way is ended, and nothing is left of it. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.#pending;
    await this.#dispose();
  }

  async #get(index: number): Promise<OlderAnswer> {
    try {
      await this.#dispose();
      const list = await this.#lists.fetch(index, { signal: this.#end.signal });
      if (list === null) return { kind: 'none' };
      this.#spool = list.manifest;
      const { handle, size } = list.manifest as FileSpool;
      return { kind: 'list', handle, size, numbers: list.numbers };
    } catch (error) {
      // What cannot be looked at is sent: no reason to have no backup.
      if (error instanceof Fault) return { kind: 'over' };
      throw error;
    }
  }

  async #dispose(): Promise<void> {
    const spool = this.#spool;
    this.#spool = null;
    await spool?.dispose();
  }
}
