/** What the engine may know of the computer it runs on. Hosts pass real ones, tests pass theirs. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Settles after about `ms` milliseconds, or rejects with fault cancelled once `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Cryptographically strong bytes. */
  bytes(length: number): Uint8Array;
}
