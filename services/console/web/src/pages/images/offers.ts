import type { BoardCell, ImageBoard, LiveEvent } from '@berth/client';
import type { Command } from '../../api/commands';

export type Account = ImageBoard['accounts'][number];
export type Row = ImageBoard['versions'][number];
/** What a button of the board is called, for whoever sees it in its cell and for whoever does not, and what it sends. */
export interface Offered {
  text: string;
  label: string;
  command: Command;
}

const happens = (image: string, types: readonly string[], of: Readonly<Record<string, unknown>> = {}) => (event: LiveEvent): boolean =>
  event.kind === 'image' && event.id === image && types.includes(event.type) && Object.entries(of).every(([key, value]) => (event.data as Readonly<Record<string, unknown>>)[key] === value);

/** Whether an event says that a version of an image is one of these: what a command is pending until. */
export const onVersion = (image: string, version: string, ...types: readonly string[]) => happens(image, types, { version });

/** Builds all that an image can be built as. */
export const buildAll = (image: string): Command => ({ key: `build ${image}`, label: `Build of ${image}`, path: `images/${encodeURIComponent(image)}/build-all`, body: {}, until: happens(image, ['VersionRequested']) });

/** Pushes a version to each account of its environment. */
export const pushAll = (image: string, version: string, number: number): Command => ({ key: `push ${version}`, label: `Push of version ${number} of ${image}`, path: `versions/${version}/push-all`, body: {}, until: onVersion(image, version, 'PushStarted') });

/** Builds a target of a version once more. */
export const rebuild = (image: string, version: string, target: string): Command => ({ key: `rebuild ${version} ${target}`, label: `Build of ${target}`, path: `versions/${version}/targets/${target}/rebuild`, body: {}, until: happens(image, ['TargetStarted'], { version, target }) });

/** Pushes a version to one account. */
export const push = (image: string, version: string, number: number, account: string): Command => ({ key: `push ${version} ${account}`, label: `Push of version ${number} to ${account}`, path: `versions/${version}/push`, body: { accounts: [account] }, until: happens(image, ['PushStarted'], { version, account }) });

/** Takes back what was pushed to an account. */
export const unpush = (image: string, version: string, number: number, account: string): Omit<Command, 'method' | 'query'> => ({
  key: `remove ${version} ${account}`, label: `Removal of version ${number} from ${account}`, path: `versions/${version}/accounts/${encodeURIComponent(account)}`, until: happens(image, ['DeletionStarted', 'Deleted'], { version, account }),
});

/** Pure: the one thing that a cell of the board offers. What has failed is built once more; what was never built, as a new version. */
export function offeredBy(image: string, { version, number }: Row, { target }: Account, { offer, failed, account }: BoardCell): Offered | undefined {
  const which = number === null ? 'a first version' : `version ${number}`;
  switch (offer) {
    case null:
      return undefined;
    case 'build':
      if (version !== null && failed > 0) return { text: 'Build', label: `Build ${which} again for ${account}`, command: rebuild(image, version, target) };
      return {
        text: 'Build', label: `Build ${version === null ? which : `a version after ${number}`} for ${account}`,
        command: { key: `build ${image} ${target}`, label: `Build of ${image} for ${target}`, path: `images/${encodeURIComponent(image)}/build`, body: { targets: [target] }, until: happens(image, ['VersionRequested']) },
      };
    case 'push':
      return version === null || number === null ? undefined : { text: 'Push', label: `Push ${which} to ${account}`, command: push(image, version, number, account) };
    case 'delete':
      return version === null || number === null ? undefined : { text: 'Delete', label: `Delete ${which} from ${account}`, command: unpush(image, version, number, account) };
  }
}
