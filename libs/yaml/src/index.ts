export { fieldOf, isMapping, MAX_ERRORS, pathOf, WHOLE, type Mapping, type Path, type Places } from './places.js';
export { YamlSource } from './source.js';
export { tell, unknownKey } from './tell.js';
