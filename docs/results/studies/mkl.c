/* Makes MKL choose its kernels as on an Intel processor. */
int mkl_serv_intel_cpu_true(void) { return 1; }
