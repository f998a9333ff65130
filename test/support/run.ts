/** Variable with the address where test files ask for what the whole run shares; see global-setup.ts. */
export const RUN_ADDRESS = 'BERTH_TEST_RUN';

/** Variable with the folder of the run, where each test file gets one of its own. */
export const RUN_FOLDER = 'BERTH_TEST_FOLDER';
