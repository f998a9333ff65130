import type { LineageView } from '@berth/client';
import { count } from '../../words/text';

/** A version that another is made of, or that is made of it. */
export interface Related {
  /** how it stands to the version */
  how: string;
  image: string;
  version: string;
  number: number;
  channels: string;
  outdated: boolean;
  revoked: boolean;
}

/** Pure: all that a version is made of, the nearest first, and all that is made of it. */
export const rowsOf = ({ ancestors, descendants }: LineageView): Related[] => [
  ...ancestors.map(({ channel, ...of }, nth) => ({ ...of, channels: channel, how: nth === 0 ? 'is made of' : `${count(nth + 1, 'step')} up` })),
  ...descendants.map(({ depth, channels, ...of }) => ({ ...of, channels: channels.join(', '), how: depth === 1 ? 'is made of it' : `${count(depth, 'step')} down` })),
];
