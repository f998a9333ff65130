import fc from 'fast-check';

// A setup file of vitest. BERTH_SEED makes every property and every random fault of a run the same as in another one: what
// has to be judged by its change alone sets it; without it each run tries something new, and prints what repeats it.
const seed = Number(process.env['BERTH_SEED']);
if (Number.isSafeInteger(seed) && seed !== 0) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
