/** What a provider or a store has answered, or not, as a sentence. `code`: as the provider calls it. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  constructor(
    message: string,
    /** the same may work later */
    readonly passing: boolean,
    readonly code = '',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
