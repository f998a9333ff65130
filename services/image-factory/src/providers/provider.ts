import type { AccountSpec, ImageTemplate, KeptFile, MadeImage, ProviderKind, ProviderSpec } from '@berth/contracts';

/** What is known of something at its provider; stored before and after each effect. */
export type Facts = Readonly<Record<string, string>>;

/** Where an image is, as its provider knows it. */
export interface Provided {
  account: AccountSpec;
  provider: ProviderSpec;
  id: string;
}

/** What is to be done at a provider, for one version of an image in one account. */
export interface Call {
  image: string;
  version: string;
  number: number;
  /** how often it was tried, with this one; names of things at the provider may differ by it */
  attempt: number;
  account: AccountSpec;
  provider: ProviderSpec;
  facts: Facts;
  /** tags of what is made: names and values */
  tags: Readonly<Record<string, string>>;
  /** read a file of the store of artifacts, from its beginning. @throws when it is not there */
  read(object: string): Promise<AsyncIterable<Uint8Array>>;
  signal: AbortSignal;
}

/** What a step came to. */
export type Step =
  /** to be stored before the next step is taken; `null` takes a fact away */
  | { is: 'keep'; facts: Readonly<Record<string, string | null>>; percent?: number; activity?: string }
  /** nothing to do for so long */
  | { is: 'wait'; ms: number; percent?: number; activity?: string }
  /** it is there, as the provider calls it */
  | { is: 'done'; id: string }
  /** it came to nothing, for good: in one sentence, with what the provider said */
  | { is: 'failed'; error: string };

export type RemoveStep =
  | { is: 'keep'; facts: Readonly<Record<string, string | null>> }
  | { is: 'wait'; ms: number }
  /** `manual`: what is left that only a person may remove, a line each */
  | { is: 'gone'; manual: readonly string[] }
  | { is: 'failed'; error: string };

/**
 * A kind of provider. Each method takes one step and is called again until it comes to an end; every step is decided by what is
 * stored in `facts` and what the provider says now, so that another process may take it again after a crash. An effect is
 * idempotent, or its intent is stored (`keep`) before it and looked up after.
 * A passing trouble (throttled, unreachable) is a `wait`, not a failure, for as long as `LONGEST_TROUBLE_MS`.
 */
export interface Provider {
  /** Why an account can't be used: one sentence, or undefined. Asked before the account is saved. @throws nothing that is an answer of the provider */
  check(account: AccountSpec, provider: ProviderSpec, signal: AbortSignal): Promise<string | undefined>;
  /** Brings what was built to the account: from a file, or from where the provider has made it. */
  push(call: Call & { object?: KeptFile; from?: Provided; os: ImageTemplate['os'] | undefined; boot?: MadeImage['boot'] }): Promise<Step>;
  /** Takes away what was pushed, or made. */
  remove(call: Call & { id: string }): Promise<RemoveStep>;
  /** Takes away what a push or a seal has made that is not gone on with, as its facts say. */
  abandon?(call: Call): Promise<RemoveStep>;
  /** Looks at what a provider has already: undefined when there is no such image. @throws Error in one sentence when it can't be found out */
  find(account: AccountSpec, provider: ProviderSpec, id: string, signal: AbortSignal): Promise<{ os?: string; arch?: string; name?: string } | undefined>;
  /** Makes an image of a running host, where the provider can: `instance` is what it calls the host. */
  seal?(call: Call & { instance: string }): Promise<Step>;
}

export type Providers = Readonly<Record<ProviderKind, Provider>>;

/** Passing trouble that lasts longer is a failure. */
export const LONGEST_TROUBLE_MS = 30 * 60_000;
