//! What turns one node into a cluster: net_kernel, EPMD, cookies, exported functions.
