// A run that is killed leaves this process alone with its test. Ending properly stops the servers that it started. Loaded once
// by each process of a run, however many files it takes.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && process.exit(1), 500).unref();
