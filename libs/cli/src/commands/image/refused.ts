import { ProblemError, wholeList, type ImageQuery } from '@berth/client';
import type { FieldError } from '@berth/contracts';
import type { Context } from '../../context.js';
import { Failure, failureOf, FAILED } from '../../failure.js';
import { nearest } from '../../nearest.js';
import { imageIn } from './words.js';

/** Which flag a field of a command comes from; a command may say otherwise. */
const FLAGS: Readonly<Record<string, string>> = {
  accounts: '--account', account: '--account', targets: '--target', environment: '--environment', labels: '--label', reason: '--reason', cascade: '--cascade', id: '--id', os: '--os', retest: '--retest', to: '--to', at: '--at',
  managed: '--managed', test: '--test', query: '--query', limit: '--limit', cursor: '--cursor', sort: '--sort', status: '--status', region: '--region', channel: '--channel', label: '--label',
  'retention.keep': '--keep', 'retention.maxAge': '--max-age', 'rebuild.schedule': '--rebuild', 'rebuild.onParent': '--rebuild-on-parent',
};

/** What is known of a command when it is refused. */
interface About {
  /** an image, or a version or a channel of one, as it was given */
  named?: string | undefined;
  /** by the name of a field, where it is another one than elsewhere: a flag, or an argument */
  flags?: Readonly<Record<string, string>>;
}

/** What was asked; a refusal tells the flag that caused it, and an image that is not known the one that may have been meant. */
export async function asked<T>(context: Context, answer: Promise<T>, about: About = {}): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw error instanceof ProblemError && error.status !== 0 ? await refused(context, error, about) : error;
  }
}

async function refused(context: Context, error: ProblemError, { named, flags = {} }: About): Promise<Failure> {
  const known = { ...FLAGS, ...flags };
  const errors = error.errors.map((one) => ({ ...one, field: flagOf(one, known) }));
  const meant = error.code === 'unknown-image' || error.code === 'unknown-version' ? await meantBy(context, named) : undefined;
  const { message } = failureOf(error);
  return new Failure(error.code, meant === undefined ? message : `${message} Did you mean ${meant}?`, errors, FAILED);
}

/** The flag of the field, or of what it is a part of. */
function flagOf({ field }: FieldError, flags: Readonly<Record<string, string>>): string {
  if (Object.hasOwn(flags, field)) return flags[field]!;
  const [whole = field] = field.split(/[.[]/);
  return Object.hasOwn(flags, whole) ? `${flags[whole]!}${field === whole ? '' : ` (${field})`}` : field;
}

/** The same with the image that is called most alike. */
async function meantBy(context: Context, named: string | undefined): Promise<string | undefined> {
  const image = named === undefined ? undefined : imageIn(named);
  if (named === undefined || image === undefined) return undefined;
  const { items } = await wholeList((query: ImageQuery) => context.berth.images.list(query), {});
  const names = items.map(({ name }) => name);
  const meant = names.includes(image) ? undefined : nearest(image, names);
  return meant === undefined ? undefined : `${meant}${named.slice(image.length)}`;
}
