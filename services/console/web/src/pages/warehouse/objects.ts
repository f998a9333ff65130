import type { WarehouseObject } from '@berth/client';
import { pairs } from '../../words/text';

/** Pure: what an object is, by the end of its id. */
export const kindOf = ({ id }: Pick<WarehouseObject, 'id'>): string => (id.endsWith('/sbom') ? 'bill of materials' : 'image');

/** Pure: the attributes of an object in words; not those that stand in columns of their own. */
export const attributesOf = ({ attributes, image }: Pick<WarehouseObject, 'attributes' | 'image'>): string =>
  pairs(Object.fromEntries(Object.entries(attributes).filter(([name, value]) => !['kind', 'target', 'bytes', 'number', 'version'].includes(name) && value !== image)));
