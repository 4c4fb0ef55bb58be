import type { Host } from '../compose/host.ts';

/** Where text or bytes go. `write` settles once they are handed over, so that a slow reader slows us down. */
export interface Sink {
  readonly isTTY: boolean;
  /** Width of the terminal in columns; 80 where it is not known. */
  readonly columns: number;
  /** The reader has gone (`| head`): further writes are dropped, and a long listing may stop. */
  readonly closed: boolean;
  write(data: string | Uint8Array): Promise<void>;
}

/** Everything a command may touch besides files named by the user. Tests pass their own. */
export interface CliHost extends Host {
  readonly cwd: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Asks on the terminal without echo, until `signal` takes the question back (fault cancelled); null where there is no terminal to ask on. */
  readonly askSecret: ((question: string, signal?: AbortSignal) => Promise<string>) | null;
}

/** What a command gets beside its own arguments. */
export interface CommandContext {
  readonly host: CliHost;
  /** Says how the command ended. Called once; a command that throws has not ended. */
  readonly end: (exitCode: number) => void;
}
