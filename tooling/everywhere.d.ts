/** What Node and browsers share and the contract's types name; the contract is checked without the types of either. */
interface AbortSignal {
  readonly aborted: boolean;
}
