/** Variable with the address where test files ask for what the whole run shares; see global-setup.ts. */
export const RUN_ADDRESS = 'BERTH_TEST_RUN';
