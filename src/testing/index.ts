/** `drover/testing`: checks for people's own suites. */
export {};
