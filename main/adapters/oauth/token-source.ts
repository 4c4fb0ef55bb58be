/** What gives a backend its bearer tokens. Shared by all calls of one account: a refresh happens once, however many ask. */
export interface TokenSource {
  /**
   * A token that has not expired by our clock. `refused`: the provider answered 401 to this one, so that another is fetched unless that
   * has happened already. Faults: sign-in-needed (the account must be connected again), weather, cancelled.
   */
  token(options?: { readonly signal?: AbortSignal | undefined; readonly refused?: string | undefined }): Promise<string>;
}
