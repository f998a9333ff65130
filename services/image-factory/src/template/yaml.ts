import { isMapping, YamlSource, type Mapping } from '@berth/yaml';

const SHAPE = 'a template is a mapping that begins with `name:` and has `os:`';

/** A template in YAML, with its values and where each of them stands. */
export function yamlSource(text: string): { places: YamlSource; value: Mapping | undefined } {
  const places = new YamlSource(text, 'template');
  const { value } = places;
  if (isMapping(value)) return { places, value: withVersion(places, value) };
  // Null is a text of comments alone; undefined could not be read, and why is told already.
  if (value !== undefined) places.errors.push(places.tell([], 'value', SHAPE));
  return { places, value: undefined };
}

/** Versions look like numbers to YAML. */
function withVersion(places: YamlSource, value: Mapping): Mapping {
  const { os } = value;
  return isMapping(os) && typeof os['version'] === 'number' ? { ...value, os: { ...os, version: places.textAt(['os', 'version']) } } : value;
}
