import { fieldErrors, imageTemplate, type FieldError, type ImageTemplate } from '@berth/contracts';
import { parse } from 'yaml';

export function readTemplate(source: string): { template: ImageTemplate; format: 'yaml' | 'tdl' } | { errors: FieldError[] } {
  const read = imageTemplate.safeParse(parse(source));
  return read.success ? { template: read.data, format: 'yaml' } : { errors: fieldErrors(read.error) };
}
