/** Something that the person at the keyboard can do something about; the message says what. */
export class SetupFault extends Error {
  name = 'SetupFault';

  /** @param {string} message @param {{ hasLog?: boolean, cause?: unknown }} [options] */
  constructor(message, options = {}) {
    super(message, { cause: options.cause });
    this.hasLog = options.hasLog ?? false;
  }
}
