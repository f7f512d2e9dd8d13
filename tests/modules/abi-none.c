/* For tests/unit/test-loader.c: a shared object that is no module. */
extern int abi_none;
int abi_none = 1;
