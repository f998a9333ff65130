export { aggregates, type Aggregates, type Cause, type Decider } from './aggregate.js';
export { tellUntilStored } from './tell.js';
export { natsBus, type Bus } from './bus.js';
export { JetStreamStrategy, type Command } from './strategy.js';
export { StatusFeed, type Status } from './status.js';
export { Follower, type Following } from './follower.js';
export { openRuntime, startService, type Living, type RunningService, type Runtime, type ServiceDefinition } from './service.js';
export { ConfigError, readEnvironment, type Config } from './config.js';
export { runDefinition, runService } from './main.js';
