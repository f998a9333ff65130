export { attributeQuery, neededBy, objectAttributes, QueryFault, type AttributeQuery, type Needed, type ObjectFacts } from './attribute-query.js';
export { imageTarget, imageTargets, imageTemplate, targetSettings, templateSource, type ImageTarget, type ImageTemplate, type TargetSettings } from './template.js';
export {
  CATALOG, catalogCommands, catalogEntries, catalogEntryKind, catalogEvents,
  type AccountSpec, type CatalogEntry, type CatalogEntryKind, type CatalogSpec, type DeployableSpec, type EnvironmentSpec, type PoolSpec, type ProviderKind, type ProviderSpec,
} from './catalog.js';
export {
  assignedBy, bootedFrom, imageCommands, imageEvents, imageStatus, rebuild, retention, versionUse,
  type AssignedBy, type ImageStatus, type MadeImage, type Rebuild, type Retention, type VersionUse,
} from './image.js';
export { cellState, deployableState, offerOf, type CellFacts, type CellState, type Offer } from './offers.js';
export { objectQuery } from './query.js';
export { replicaStore, replicationEvents, replicationPolicy, warehouseCommands, type ReplicaStore, type ReplicationPolicy } from './warehouse.js';
